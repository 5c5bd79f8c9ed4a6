// Reads vectors from standard input with the JavaScript reader of the spec; prints what went wrong.
import { readFileSync } from "node:fs";
import { parse } from "../../spec/readers/js/mason.mjs";
import { expand, matches } from "./match_json.mjs";

function problem({ text, tree }) {
  try {
    return matches(tree, parse(expand(text))) ? null : "is not what the tree says";
  } catch (error) {
    return String(error);
  }
}
const vectors = JSON.parse(readFileSync(0, "utf8"));
const problems = vectors.map((vector) => [vector.name, problem(vector)]).filter(([, why]) => why);
console.log(JSON.stringify(problems));
