// Writes the cases of JSONLogic as conditions: those of the cross-implementation suite, which come with the engine's
// crate, and what the reference implementation makes of every operator on every pair of plain values.

import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import reference from "json-logic-js";

const GUESTS = fileURLToPath(new URL("../../Cargo.toml", import.meta.url));
const ENGINE = "datalogic-rs";

/** The operators that JSONLogic has; the engine's suite tests more. */
const OPERATORS = new Set(
  ("var val missing missing_some if ?: and or ! !! == === != !== < <= > >= + - * / % max min cat substr in merge map " +
    "filter reduce all some none").split(" "),
);

/** Operators whose second operand sees an item instead of the data. */
const ITERATIONS = new Set(["map", "filter", "reduce", "all", "some", "none"]);

/** Where the reference's answer counts before the suite's: the engine's copy of the suite has the engine's idea of truth. */
const TRUTH = new Set(["if", "?:", "and", "or", "!", "!!", "==", "!="]);

/** Where the suite asks for an error and the reference, like this plugin, has an answer. */
const LENIENT = new Set(["==", "!=", "===", "!==", "<", "<=", ">", ">=", "map", "filter", "all", "some", "none", "in"]);

const LEFT_OUT = {
  engine: "is about what the engine has beyond JSONLogic",
  scope: "reaches out of an iteration by levels, computes a name or takes all of the data; an event is two levels below it",
  identity: "compares arrays or objects with what is not the same: the suite asks for an error, JavaScript makes texts of them",
};

/** Files of the engine's suite on operators of its own. */
const OF_THE_ENGINE = /^(datetime|flagd)\//;

const cases = [];
const leftOut = {};

/** All of them, with where they are from and what is not among them. */
export function jsonlogic() {
  const { version, suites } = engine();
  for (const file of JSON.parse(readFileSync(join(suites, "index.json")))) {
    const path = join(suites, file);
    if (!existsSync(path)) throw new Error(`${path} is not there`);
    JSON.parse(readFileSync(path)).forEach((one, index) => {
      if (typeof one !== "string") add(`${file.replace(/\.json$/, "")}/${index}`, one);
    });
  }
  pairs();
  const source = `JSONLogic's cross-implementation suite, from ${ENGINE} ${version}, and json-logic-js, the reference`;
  return { source, cases, left_out: leftOut };
}

/** Where cargo has the engine's source. */
function engine() {
  const args = ["metadata", "--locked", "--format-version", "1", "--manifest-path", GUESTS];
  const { packages } = JSON.parse(execFileSync("cargo", args, { maxBuffer: 1 << 28 }));
  const found = packages.find((one) => one.name === ENGINE);
  return { version: found.version, suites: join(dirname(found.manifest_path), "tests/suites") };
}

function add(name, { rule, data, result, error }) {
  try {
    if (OF_THE_ENGINE.test(name)) throw "engine";
    const within = moved(rule);
    const expected = expectation(rule, data ?? null, error === undefined ? { result } : { error });
    push("suite", name, within, data ?? null, expected);
  } catch (reason) {
    if (!(reason in LEFT_OUT)) throw reason;
    leftOut[LEFT_OUT[reason]] = (leftOut[LEFT_OUT[reason]] ?? 0) + 1;
  }
}

function push(suite, name, rule, data, expected) {
  if ("error" in expected) {
    cases.push({ suite, name, condition: JSON.stringify(rule), data, expect: "fails" });
    return;
  }
  const { result } = expected;
  const isPlain = result === null || typeof result !== "object";
  // Arrays and objects are compared by what is in them, and written out they would be rules.
  const condition = isPlain ? { "===": [rule, result] } : { "==": [rule, { var: "event.data.expected" }] };
  const event = isPlain ? data : { ...data, expected: result };
  cases.push({ suite, name, condition: JSON.stringify(condition), data: event, expect: "holds" });
}

/** The suite's answer, or the reference's. */
function expectation(rule, data, given) {
  const [name, operands] = operation(rule) ?? [];
  const asReference = TRUTH.has(name) && operands.length <= (name.endsWith("=") ? 2 : Infinity);
  if (!asReference && !("error" in given && LENIENT.has(name))) return given;
  const isComparison = /^[=!<>]/.test(name) && operands.length > 1;
  if (isComparison && "error" in given && operands.some(Array.isArray)) throw "identity";
  if (LENIENT.has(name) && operands.length < 2) return given;
  try {
    const result = reference.apply(plain(rule), data);
    return { result: result === undefined ? false : result };
  } catch {
    return given;
  }
}

/** With `var` for `val`, which the reference does not have. */
function plain(rule) {
  const [name, operands] = operation(rule) ?? [];
  if (name === "val" && operands.length === 1) return { var: operands };
  return name === undefined ? rule : { [name]: Array.isArray(rule[name]) ? operands.map(plain) : plain(rule[name]) };
}

function operation(rule) {
  if (rule === null || typeof rule !== "object" || Array.isArray(rule)) return undefined;
  const names = Object.keys(rule);
  if (names.length !== 1) return undefined;
  const operands = rule[names[0]];
  return [names[0], Array.isArray(operands) ? operands : [operands]];
}

/** The rule with its variables in `event.data`. */
function moved(rule) {
  if (Array.isArray(rule)) return rule.map(moved);
  if (rule === null || typeof rule !== "object") return rule;
  if (Object.keys(rule).length === 0) return rule;
  const [name, operands] = operation(rule) ?? [];
  if (!OPERATORS.has(name)) throw "engine";
  const path = (key) => {
    if (key === "" || key === null || key === undefined) return "event.data";
    if (typeof key === "string" || typeof key === "number") return `event.data.${key}`;
    throw "scope";
  };
  if (name === "var") return { var: [path(operands[0]), ...operands.slice(1).map(moved)] };
  if (name === "val") {
    if (operands.length === 0 || operands.some((key) => typeof key === "object")) throw "scope";
    return { val: ["event", "data", ...operands] };
  }
  if (name === "missing" || name === "missing_some") throw "scope";
  if (ITERATIONS.has(name)) {
    if (operands.length < 2) return { [name]: moved(rule[name]) };
    const [items, each, ...more] = operands;
    if (JSON.stringify(each ?? null).includes('[[')) throw "scope";
    checked(each);
    return { [name]: [moved(items), each, ...more.map(moved)] };
  }
  return { [name]: moved(rule[name]) };
}

/** Refuses what uses other operators. */
function checked(rule) {
  if (rule === null || typeof rule !== "object") return;
  const [name, operands] = operation(rule) ?? [undefined, Array.isArray(rule) ? rule : []];
  if (name !== undefined && !OPERATORS.has(name)) throw "engine";
  operands.forEach(checked);
}

/** What the reference makes of plain values: all comparisons of all pairs, and the truth of each. */
function pairs() {
  const values = [null, true, false, 0, 1, -1, 2.5, "", "0", "1", " 1 ", "2.5", "a", "B", "true", "null"];
  for (const left of values) {
    for (const right of values) {
      for (const name of ["==", "!=", "===", "!==", "<", "<=", ">", ">="]) {
        const rule = { [name]: [left, right] };
        push("reference", JSON.stringify(rule), rule, null, { result: reference.apply(rule, null) });
      }
    }
  }
  for (const value of [...values, [], [0], [[]], {}, { a: 1 }]) {
    const data = { value };
    const it = { var: "value" };
    for (const rule of [{ "!": [it] }, { "!!": [it] }, { if: [it, "yes", "no"] }, { and: [it, 7] }, { or: [it, 7] }]) {
      const name = `${JSON.stringify(rule)} of ${JSON.stringify(value)}`;
      push("reference", name, moved(rule), data, { result: reference.apply(rule, data) });
    }
  }
}
