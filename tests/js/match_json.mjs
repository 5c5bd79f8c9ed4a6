// Compares what spec/readers/js/mason.mjs gives with the tree of a vector.
import { Form, TYPE } from "../../spec/readers/js/mason.mjs";

const MAPS = ["collections:OrderedDict", "collections:Counter", "collections:defaultdict"];
const LISTS = ["collections:deque", "collections:ChainMap"];

export const expand = (text) =>
  typeof text === "string" ? text : text.repeat.map(([part, count]) => part.repeat(count)).join("");
const kindOf = (tree) => (Array.isArray(tree) ? "list" : Object.keys(tree)[0]);
const isText = (tree) => typeof tree === "string";

export function integer(content) {
  const text = expand(content);
  return text.startsWith("-") ? -BigInt(text.slice(1)) : BigInt(text);
}
const sameFloat = (text, value) => Object.is(Number(text), value);
const sameForm = (value, kind, text) =>
  value instanceof Form && value.kind === kind && (text === undefined || value.value === expand(text));

function sameDate(text, value) {
  const millis = Date.parse(text.replace(/\[.*\]$/, "").replace(/(\.\d{3})\d+/, "$1"));
  const offset = /[+-]\d\d:\d\d([:.\d]*)(\[.*\])?$/.test(text.slice(10));
  if (!offset || isNaN(millis)) return sameForm(value, "datetime", text);
  return value instanceof Date && value.getTime() === millis;
}

/** Return whether `value` is what `tree` describes; `numbers` keeps what is shared. */
export function matches(tree, value, numbers = new Map()) {
  if (tree === null || typeof tree !== "object") return Object.is(tree, value);
  const kind = kindOf(tree);
  const content = kind === "list" ? tree : tree[kind];
  const all = (trees, values) =>
    trees.length === values.length && trees.every((part, i) => matches(part, values[i], numbers));
  const sequence = (trees, values) => Array.isArray(values) && all(trees, values);
  const pairs = (entries, map) =>
    map instanceof Map && all(entries, [...map]);
  const members = (entries, object) =>
    !Array.isArray(object) && !(object instanceof Map) &&
    Object.keys(object).length === entries.length &&
    entries.every(([key, part]) => Object.hasOwn(object, key) && matches(part, object[key], numbers));
  switch (kind) {
    case "shared":
      if (numbers.has(content)) return false;
      numbers.set(content, value);
      return matches(tree.value, value, numbers);
    case "same": return numbers.get(content) === value;
    case "text": return value === content.join("");
    case "int": return typeof value === "bigint" && value === integer(content);
    case "float": return sameFloat(content, value);
    case "list": case "tuple": return sequence(content, value);
    case "set": case "frozenset": return value instanceof Set && all(content, [...value]);
    case "dict":
      return content.every(([key]) => isText(key)) ? members(content, value) : pairs(content, value);
    case "bytes": case "bytearray":
      return value instanceof Uint8Array && Buffer.from(value).toString("hex") === content;
    case "datetime": return sameDate(content, value);
    case "complex":
      return sameForm(value, kind) && value.value.every((part, i) => sameFloat(content[i], part));
    case "tag": return sameForm(value, kind) && all(content, value.value);
    case "simple": return sameForm(value, kind) && value.value === content;
    case "name": return sameForm(value, "global", content);
    case "timedelta": return sameForm(value, kind);
    case "record": return instance(tree, value, { all, sequence, pairs, members });
    default: return sameForm(value, kind, content);
  }
}

function instance({ record: name, items }, value, { sequence, pairs, members }) {
  const slots = Object.fromEntries(items);
  if (LISTS.includes(name)) return sequence(slots.$list, value);
  if (MAPS.includes(name)) return pairs(slots.$map ?? slots.$dict.dict, value);
  if (name === "array:array" && slots.$list)
    return ArrayBuffer.isView(value) && sequence(slots.$list, [...value].map(small));
  return value[TYPE] === name && members(items, value);
}
const small = (part) => (Number.isSafeInteger(Number(part)) ? Number(part) : part);
