import { stringify } from "yaml";
import { DecodeError, decodeYaml, decodeYamlDocuments } from "../../../src/api/machinery/yaml.ts";
import { mutated } from "../draw.ts";
import { assertSameJson, valueUnless } from "../expect.ts";
import { anyRecord } from "../json-values.ts";
import type { FuzzTarget } from "../target.ts";

/** YAML bodies: JSON in, the same JSON out; anything else a value or a refusal, and both soon. */
export const yamlBody: FuzzTarget = {
  name: "yaml-body",
  runs: 500,
  make(draw) {
    const text = stringify(anyRecord(draw), {
      version: "1.1",
      aliasDuplicateObjects: false,
      indent: draw.pick([2, 4]),
      singleQuote: draw.chance(30),
    });
    const bytes = Buffer.from(draw.chance(20) ? `${draw.pick(TRAPS)}\n${text}` : text);
    return draw.chance(70) ? mutated(draw, bytes) : bytes;
  },
  check(input) {
    const text = input.toString();
    const decoded = valueUnless([DecodeError], () => decodeYaml(text));
    valueUnless([DecodeError], () => decodeYamlDocuments(text));
    if (!decoded) return;
    const json = JSON.stringify(decoded.value);
    // What is JSON now is JSON for good.
    if (json.startsWith("{") || json.startsWith("["))
      assertSameJson(decodeYaml(json).value, JSON.parse(json));
  },
};

const TRAPS = [
  "a: &a [x, x, x, x]\nb: &b [*a, *a, *a, *a]\nc: [*b, *b, *b, *b]",
  "a: &a {b: *a}",
  "<<: {a: 1}",
  "? [a, b]\n: c",
  "? {a: b}\n: c",
  "!!set {a, b}",
  "!!js/function 'x'",
  "!<tag:yaml.org,2002:binary> aGk=",
  "%YAML 1.2\n---",
  "%TAG ! tag:x,1:\n---",
  "a: |\n  b\n c",
  "- - - - - - a",
  "__proto__: {a: 1}",
  "a: 0x1F\nb: 0o17\nc: 1_000\nd: .5\ne: 1e400",
];
