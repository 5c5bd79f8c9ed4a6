// Decodes the CBOR of vectors from standard input with two decoders that know nothing of mason, and
// compares what each gives with the tree as far as the decoder has words for it; prints problems.
import { readFileSync } from "node:fs";
import { Decoder } from "cbor-x";
import { decode, Tagged } from "cborg";
import { expand, integer } from "./match_json.mjs";

const TAGS = [0, 1, 2, 3, 4, 28, 29, 30, 37, 39, 121, 122, 123, 258, 259, 268, 273, 283, 1000, 1002, 1004, 7000, 43000];
const cborX = new Decoder({ mapsAsObjects: true, useRecords: false });
const DECODERS = {
  "cbor-x": (bytes) => cborX.decode(bytes),
  cborg: (bytes) => decode(bytes, { useMaps: true, tags: Tagged.preserve(...TAGS) }),
};

const untagged = (value, tag) =>
  value !== null && typeof value === "object" && value.tag === tag ? value.value : value;
const entriesOf = (value) => (value instanceof Map ? [...value] : Object.entries(value));

function sees(tree, value) {
  value = untagged(value, 28); // a decoder that does not know the mark of a shared value keeps it
  if (tree === null || typeof tree !== "object") return atom(tree, value);
  const kind = Array.isArray(tree) ? "list" : Object.keys(tree)[0];
  const content = kind === "list" ? tree : tree[kind];
  const all = (trees, values) => {
    const list = [...values];
    return trees.length === list.length && trees.every((part, i) => sees(part, list[i]));
  };
  switch (kind) {
    case "shared": return sees(tree.value, value);
    case "text": return atom(content.join(""), value);
    case "int": return bigInteger(value) === integer(content);
    case "float": return Object.is(Number(content), Number(value));
    case "list": return Array.isArray(value) && all(content, value);
    case "tuple": return all(content, untagged(value, 121));
    case "set": return all(content, untagged(value, 258));
    case "frozenset": return all(content, untagged(untagged(value, 121), 258));
    case "dict": return pairs(content, untagged(value, 259));
    case "bytes": return Buffer.from(value).toString("hex") === content;
    case "bytearray": return Buffer.from(untagged(value, 122)).toString("hex") === content;
    case "record": return record(tree, untagged(value, 283));
    case "tag": return sees(content[1], untagged(value, content[0]));
    case "simple": return content !== 23 || value === undefined;
    default: return value !== undefined; // times, decimals..: each decoder in its own way
  }
}

function atom(tree, value) {
  if (typeof tree === "number") return Number(value) === tree && !Object.is(value, -0);
  return Object.is(tree, value) || untagged(value, 273) !== value; // text with lone surrogates
}

function bigInteger(value) {
  if (typeof value !== "object") return BigInt(value);
  const whole = BigInt(`0x${Buffer.from(value.value).toString("hex")}`);
  return value.tag === 2 ? whole : -1n - whole;
}

function record({ record: name, items }, [found, slots]) {
  const dicts = ["$dict", "$newkw", "$extra"];
  const entries = items.map(([key, part]) => [key, dicts.includes(key) ? { dict: part.dict } : part]);
  return atom(name, found) && pairs(entries, slots);
}

// in the order of the document, but for objects, where JavaScript puts keys like "1" first
function pairs(entries, map) {
  const found = entriesOf(map);
  if (found.length !== entries.length) return false;
  return entries.every(([key, part], i) => {
    const [k, v] = map instanceof Map ? found[i] : found.find(([name]) => name === key) ?? [];
    return sees(key, k) && sees(part, v);
  });
}

function problem(read, { cbor, tree }) {
  try {
    return sees(tree, read(Buffer.from(expand(cbor), "hex"))) ? null : "is not what the tree says";
  } catch (error) {
    return String(error);
  }
}
const vectors = JSON.parse(readFileSync(0, "utf8"));
const problems = Object.entries(DECODERS).flatMap(([name, read]) =>
  vectors.map((vector) => [name, vector.name, problem(read, vector)]).filter((row) => row[2]));
console.log(JSON.stringify(problems));
