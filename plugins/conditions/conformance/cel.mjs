// Writes the cases of CEL's specification as conditions: each is an expression of it, compared with the value that
// it has there, or one that ends in an error.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tests } from "@bufbuild/cel-spec/testdata/conformance.js";

/** Files of the specification that test what is beyond the standard library. */
const EXTENSIONS = /_ext$/;

/** Why a case says nothing about conditions on JSON. */
const LEFT_OUT = {
  protobuf: "needs protobuf messages or enums; an event is JSON",
  container: "resolves names in a container or a dotted variable; a condition has one variable, `event`",
  deduction: "asks which type a type checker deduces, and has no value",
};

const PROTOBUF =
  /TestAllTypes|TestRequired|NestedMessage|GlobalEnum|NestedEnum|proto\.(has|get)Ext|\b(Any|Struct|ListValue|NullValue|FieldMask|Empty|(Int32|Int64|UInt32|UInt64|Float|Double|Bool|String|Bytes)?Value)\s*[.{]|google\.protobuf\.(Timestamp|Duration|\w*Value)\s*\{/;

/** All of them, with where they are from and what is not among them. */
export function cel() {
  for (const file of tests.suites) visit(file, [file.name]);
  const data = createRequire(import.meta.url).resolve("@bufbuild/cel-spec/testdata/conformance.js");
  const { version, upstreamCelSpecRef } = JSON.parse(readFileSync(data.replace(/dist\/.*/, "package.json")));
  const source = `the specification of CEL ${upstreamCelSpecRef}, from @bufbuild/cel-spec ${version}`;
  return { source, cases, left_out: leftOut };
}

const cases = [];
const leftOut = {};

function visit(suite, path) {
  for (const test of suite.tests ?? []) add(path, test);
  for (const inner of suite.suites ?? []) visit(inner, [...path, inner.name]);
}

function add(path, test) {
  const { original } = test;
  const part = EXTENSIONS.test(path[0]) ? "extensions" : "core";
  const name = [...path, original.name].join("/");
  try {
    const found = condition(original);
    // Written for an evaluator without a type checker, and refused by one.
    const isRefused = found.expect === "holds" && original.disableCheck && test.error !== undefined;
    cases.push({ suite: part, name, ...found, ...(isRefused ? { expect: "holds or refused" } : {}) });
  } catch (reason) {
    if (!(reason in LEFT_OUT)) throw reason;
    const key = `${part}: ${LEFT_OUT[reason]}`;
    leftOut[key] = (leftOut[key] ?? 0) + 1;
  }
}

function condition(test) {
  if (PROTOBUF.test(test.expr) || test.value?.enumValue) throw "protobuf";
  if (test.container && !/^(cel\.expr\.conformance|google\.protobuf)/.test(test.container)) throw "container";
  const bindings = Object.entries(test.bindings ?? {}).map(([name, { value }]) => [name, value]);
  if (bindings.some(([name]) => name.includes("."))) throw "container";
  const value = test.value ?? test.typedResult?.result;
  const expectsError = test.evalError !== undefined;
  if (!expectsError && value === undefined) {
    if (test.typedResult || test.checkOnly) throw "deduction";
    // Without a word on the value, it is `true`.
    return bound(bindings, test.expr, "holds");
  }
  return expectsError ? bound(bindings, test.expr, "fails") : bound(bindings, compared(test.expr, value), "holds");
}

/** The condition with its variables: from the event where JSON can carry them, as literals where not. */
function bound(bindings, expression, expect) {
  const data = {};
  let condition = expression;
  for (const [name, value] of bindings) {
    // Cases that show that a literal is no variable.
    if (["true", "false", "null"].includes(name)) continue;
    const json = toJson(value);
    if (json !== undefined) data[name] = json;
    condition = `cel.bind(${name}, ${json === undefined ? literal(value) : `event.data.${name}`}, ${condition}\n)`;
  }
  return { condition, ...(Object.keys(data).length ? { data } : {}), expect };
}

function compared(expression, value) {
  const [kind, inner] = Object.entries(value)[0];
  const wrapped = `(${expression}\n)`;
  const type = { int64Value: "int", uint64Value: "uint", doubleValue: "double" }[kind];
  if (kind === "boolValue") return inner ? expression : `!${wrapped}`;
  if (kind === "doubleValue" && inner === "NaN") return `${wrapped} != ${wrapped}`;
  if (type) return `${wrapped} == ${literal(value)} && type${wrapped} == ${type}`;
  return `${wrapped} == ${literal(value)}`;
}

function literal(value) {
  const [kind, inner] = Object.entries(value)[0];
  switch (kind) {
    case "nullValue":
      return "null";
    case "boolValue":
      return String(inner);
    case "int64Value":
      return String(inner);
    case "uint64Value":
      return `${inner}u`;
    case "doubleValue":
      return double(inner);
    case "stringValue":
      return text(inner);
    case "bytesValue":
      return `b'${[...Buffer.from(inner, "base64")].map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("")}'`;
    case "typeValue":
      return inner;
    case "listValue":
      return `[${(inner.values ?? []).map(literal).join(", ")}]`;
    case "mapValue":
      return `{${(inner.entries ?? []).map(({ key, value }) => `${literal(key)}: ${literal(value)}`).join(", ")}}`;
    case "objectValue":
      return message(inner);
    default:
      throw "protobuf";
  }
}

function message(value) {
  const type = value["@type"].split("/").pop();
  if (type === "google.protobuf.Timestamp") return `timestamp(${text(value.value)})`;
  if (type === "google.protobuf.Duration") return `duration(${text(value.value)})`;
  throw "protobuf";
}

function double(value) {
  if (typeof value === "string") return `double('${value}')`;
  if (Object.is(value, -0)) return "-0.0";
  const digits = String(value);
  return /[.e]/.test(digits) ? digits : `${digits}.0`;
}

function text(value) {
  const escaped = [...value].map((c) => {
    const code = c.codePointAt(0);
    return code < 0x20 || code > 0x7e || c === "'" || c === "\\" ? `\\U${code.toString(16).padStart(8, "0")}` : c;
  });
  return `'${escaped.join("")}'`;
}

/** The value as JSON, if an event can carry it as it is: JavaScript writes 1.0 as 1, which is another type. */
function toJson(value) {
  const [kind, inner] = Object.entries(value)[0];
  if (["nullValue", "boolValue", "stringValue"].includes(kind)) return inner;
  if (kind === "int64Value" && Number.isSafeInteger(Number(inner))) return Number(inner);
  if (kind === "listValue") return all((inner.values ?? []).map(toJson));
  if (kind === "mapValue") {
    const entries = (inner.entries ?? []).map(({ key, value }) => [key.stringValue, toJson(value)]);
    return entries.some((entry) => entry.includes(undefined)) ? undefined : Object.fromEntries(entries);
  }
  return undefined;
}

function all(values) {
  return values.includes(undefined) ? undefined : values;
}
