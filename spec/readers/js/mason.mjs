// Reads mason's JSON in JavaScript: parse(text) gives the data with sharing and cycles restored.
// No dependencies and no recursion; JSON.parse does the reading, two walks do the rest. What turns
// into what is in README.md. It trusts the document to be sound: it is a reader, not a validator.

/** The class name of an instance: order[TYPE] === "shop:Order". */
export const TYPE = Symbol.for("mason.type");

/** A value that JavaScript has no type for: a Decimal, a naive datetime, a tag, a name.. */
export class Form {
  constructor(kind, value) {
    this.kind = kind;
    this.value = value;
  }
  toString() {
    return String(this.value);
  }
}

const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
const date = (text) => new Date(text.replace(/\[.*\]$/, "").replace(/(\.\d{3})\d+/, "$1"));

/** How the text in a form becomes a value; parse(text, forms) takes others: Temporal, decimal.js.. */
export const FORMS = {
  bytes,
  bytearray: bytes,
  int: (text) => (text[0] === "-" ? -BigInt(text.slice(1)) : BigInt(text)),
  float: (text) => Number(text), // "NaN(..)" with its bits is NaN, too
  datetime(text) {
    const when = /(Z|[+-]\d\d:\d\d(:[\d:.]+)?)(\[.*\])?$/.test(text) ? date(text) : NaN;
    return isNaN(when) ? new Form("datetime", text) : when;
  },
};

const BIG = { l: BigInt64Array, q: BigInt64Array, L: BigUint64Array, Q: BigUint64Array };
const SMALL = { b: Int8Array, B: Uint8Array, h: Int16Array, H: Uint16Array, i: Int32Array,
  I: Uint32Array, f: Float32Array, d: Float64Array };
const MAPS = ["collections:OrderedDict", "collections:Counter", "collections:defaultdict"];
const LISTS = ["collections:deque", "collections:ChainMap"];
const HEAD = ["$mason", "$id"];

const reserved = (key) => key[0] === "$" && key[1] !== "$";
const unescaped = (key) => (key[0] === "$" ? key.slice(1) : key);
const put = (object, key, value) =>
  Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });

/** Return the data of a JSON document, mason's or any other; `forms` adds to FORMS, or replaces. */
export function parse(text, forms = {}) {
  const big = `\0${Math.random()}`; // marks the integers that a Number would round
  const rounds = (token) => /^-?\d{16,}$/.test(token) && !Number.isSafeInteger(Number(token));
  let quoted = false;
  const marked = (token) => {
    if (token === '"') quoted = !quoted;
    return !quoted && rounds(token) ? `{${JSON.stringify(big)}:"${token}"}` : token;
  };
  const tokens = /\\.|"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
  const raw = JSON.parse(/\d{16}/.test(text) ? text.replace(tokens, marked) : text);
  const typed = raw !== null && typeof raw === "object" && Object.hasOwn(raw, "$mason");
  if (typed && raw.$mason !== 1) throw new Error(`mason: this reader knows version 1, not ${raw.$mason}`);
  const make = { ...FORMS, ...forms };
  const ids = new Map(); // $id -> the raw object that carries it
  const built = new Map(); // raw -> value
  const open = []; // how to fill the values that are still empty

  for (const line = [raw]; typed && line.length > 0; ) {
    const node = line.pop();
    if (node === null || typeof node !== "object") continue;
    if (Object.hasOwn(node, "$id")) ids.set(node.$id, node);
    for (const part of Object.values(node)) line.push(part);
  }

  function later(node, shell, fill) {
    built.set(node, shell);
    open.push(fill);
    return shell;
  }
  const array = (node, items) => {
    const list = [];
    return later(node, list, () => items.forEach((item) => list.push(value(item))));
  };
  const set = (node, items) => {
    const made = new Set();
    return later(node, made, () => items.forEach((item) => made.add(value(item))));
  };
  const map = (node, pairs) => {
    const made = new Map();
    return later(node, made, () => pairs.forEach(([key, item]) => made.set(value(key), value(item))));
  };
  const object = (node, skip, name, shell = {}) =>
    later(node, shell, () => {
      for (const [key, item] of Object.entries(node))
        if (!skip.includes(key)) put(shell, name(key), value(item));
    });

  function instance(node) {
    const name = node.$type;
    if (LISTS.includes(name)) return array(node, node.$list);
    if (MAPS.includes(name)) {
      const entries = Object.entries(node.$dict ?? {}).map(([key, item]) => [unescaped(key), item]);
      return map(node, node.$map ?? entries);
    }
    const code = name === "array:array" ? node.$new[0] : "";
    if (Object.hasOwn(SMALL, code)) return SMALL[code].from(node.$list, value);
    if (Object.hasOwn(BIG, code)) return BIG[code].from(node.$list, (item) => BigInt(value(item)));
    const shell = Object.defineProperty({}, TYPE, { value: name });
    return object(node, [...HEAD, "$type"], (key) => key, shell);
  }

  function form(node, key) {
    const content = node[key];
    if (key === "$tuple" || key === "$list") return array(node, content);
    if (key === "$set" || key === "$frozenset") return set(node, content);
    if (key === "$map") return map(node, content);
    const kind = key.slice(1);
    const made = Object.hasOwn(make, kind) ? make[kind](content) : new Form(kind, content);
    built.set(node, made);
    if (kind !== "complex" && kind !== "tag") return made;
    return later(node, made, () => (made.value = content.map(value)));
  }

  function value(node) {
    if (node === null || typeof node !== "object") return node;
    if (built.has(node)) return built.get(node);
    if (Array.isArray(node)) return array(node, node);
    if (Object.hasOwn(node, big)) return make.int(node[big]);
    if (!typed) return object(node, [], (key) => key);
    if (Object.hasOwn(node, "$ref")) {
      if (!ids.has(node.$ref)) throw new Error(`mason: no $id ${node.$ref}`);
      return value(ids.get(node.$ref));
    }
    if (node === raw && Object.hasOwn(node, "$value")) return value(node.$value);
    if (Object.hasOwn(node, "$type")) return instance(node);
    const key = Object.keys(node).find((k) => reserved(k) && !HEAD.includes(k));
    return key === undefined ? object(node, HEAD, unescaped) : form(node, key);
  }

  const root = value(raw);
  while (open.length > 0) open.pop()();
  return root;
}
