import assert from "node:assert/strict";
import {
  compileFieldSelector,
  parseFieldSelector,
} from "../../../src/api/machinery/field-selector.ts";
import {
  labelSelectorOf,
  parseLabelSelector,
  validateLabelSelector,
  type LabelSelectorObject,
} from "../../../src/api/machinery/label-selector.ts";
import { StatusError } from "../../../src/api/machinery/status-error.ts";
import type { Draw } from "../draw.ts";
import { valueUnless } from "../expect.ts";
import { typedRecord } from "../json-values.ts";
import { schemas } from "../kinds.ts";
import { inputOf, parts, type FuzzTarget } from "../target.ts";

interface Input {
  readonly labelText: string;
  readonly fieldText: string;
  readonly object: LabelSelectorObject;
  readonly labels: Readonly<Record<string, string>>;
}

/** Selectors: their canonical text reads as the same selector, and selects the same. */
export const selector: FuzzTarget = {
  name: "selector",
  runs: 2500,
  make(draw) {
    const type = schemas.type("io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector");
    return inputOf({
      labelText: selectorText(draw),
      fieldText: selectorText(draw),
      object: typedRecord(draw, schemas, type, 0),
      labels: Object.fromEntries(draw.times(draw.size(5), () => [key(draw), value(draw)])),
    });
  },
  check(input) {
    const { labelText, fieldText, object, labels } = parts<Input>(input);
    checkLabels(labelText, labels);
    checkFields(fieldText);
    if (!isShaped(object)) return;
    if (validateLabelSelector(object, "spec.selector").length > 0) return;
    // What validation lets through has to work.
    labelSelectorOf(object).matches(labels);
  },
};

function checkLabels(text: string, labels: Input["labels"]): void {
  const parsed = valueUnless([StatusError], () => parseLabelSelector(text));
  if (!parsed) return;
  const again = parseLabelSelector(parsed.text);
  assert.equal(again.text, parsed.text);
  assert.equal(again.matches(labels), parsed.matches(labels));
  assert.equal(parsed.matches(undefined), again.matches({}));
}

function checkFields(text: string): void {
  const parsed = valueUnless([StatusError], () => parseFieldSelector(text));
  if (!parsed) return;
  const again = parseFieldSelector(parsed.text);
  // In the order of its text, which escapes may change.
  assert.deepEqual(new Set(again.terms.map(termText)), new Set(parsed.terms.map(termText)));
  valueUnless([StatusError], () => compileFieldSelector(parsed, {})({ metadata: { name: "a" } }));
}

const termText = (term: object): string => JSON.stringify(term);

function isShaped({ matchLabels, matchExpressions }: LabelSelectorObject): boolean {
  const isText = (text: unknown): boolean => typeof text === "string";
  return (
    Object.values(matchLabels ?? {}).every(isText) &&
    (matchExpressions ?? []).every((one) => isText(one.key) && (one.values ?? []).every(isText))
  );
}

const key = (draw: Draw): string => (draw.chance(70) ? draw.pick(["a", "b", "x/y"]) : draw.key());
const value = (draw: Draw): string => (draw.chance(70) ? draw.pick(["a", "1", ""]) : draw.text());

function selectorText(draw: Draw): string {
  return draw
    .times(1 + draw.size(4), () => {
      const blank = draw.pick(["", "", " ", "\t"]);
      const values = draw.times(draw.size(4), () => value(draw)).join(draw.pick([",", ", "]));
      return draw.pick([
        () => `${key(draw)}${blank}${draw.pick(["=", "==", "!=", ">", "<"])}${blank}${value(draw)}`,
        () => `${key(draw)} ${draw.pick(["in", "notin"])} ${blank}(${values})`,
        () => `${draw.pick(["", "!"])}${blank}${key(draw)}`,
        () => draw.text(),
      ])();
    })
    .join(draw.pick([",", ",", " , ", ""]));
}
