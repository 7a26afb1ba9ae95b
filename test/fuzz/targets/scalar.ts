import assert from "node:assert/strict";
import * as names from "../../../src/api/machinery/names.ts";
import {
  canonicalQuantity,
  formatQuantity,
  parseQuantity,
  QuantityError,
} from "../../../src/api/machinery/quantity.ts";
import { canonicalTime } from "../../../src/api/machinery/time-text.ts";
import type { Draw } from "../draw.ts";
import { valueUnless } from "../expect.ts";
import { inputOf, parts, type FuzzTarget } from "../target.ts";

/** Quantities, times and names: canonical text is canonical, the value stays, long ones cost little. */
export const scalar: FuzzTarget = {
  name: "scalar",
  runs: 4000,
  make: (draw) => inputOf(draw.chance(98) ? scalarText(draw) : draw.text().repeat(20_000)),
  check(input) {
    const text = parts<string>(input);
    checkQuantity(text);
    for (const kind of ["time", "microTime"] as const) {
      const time = canonicalTime(text, kind);
      if (time.text !== undefined) assert.equal(canonicalTime(time.text, kind).text, time.text);
    }
    for (const rule of RULES) for (const message of rule(text)) assert.notEqual(message, "");
  },
};

function checkQuantity(text: string): void {
  const parsed = valueUnless([QuantityError], () => parseQuantity(text));
  if (!parsed) return;
  const canonical = canonicalQuantity(text);
  assert.equal(canonical, formatQuantity(parsed));
  assert.equal(parseQuantity(canonical).nanos, parsed.nanos, `${text} became ${canonical}`);
  assert.equal(canonicalQuantity(canonical), canonical, `of ${text}`);
}

const RULES = [
  ...[names.validateDnsLabel, names.validateDnsSubdomain, names.validateDns1035Label],
  ...[names.validateWildcardDnsSubdomain, names.validateQualifiedName, names.validateLabelValue],
  ...[names.validatePortName, names.validateEnvName, names.validateRelaxedEnvName],
  ...[names.validateConfigMapKey, names.validateCIdentifier, names.validateHttpHeaderName],
  ...[names.validatePercent, names.validatePathSegment],
];

function scalarText(draw: Draw): string {
  const digits = (): string =>
    draw.times(draw.size(24), () => draw.pick([..."000123456789"])).join("");
  switch (draw.integer(4)) {
    case 0:
      return draw.text(40);
    case 1:
      return `${digits()}-${digits()}-${digits()}T${digits()}:00:00.${digits()}Z`;
    case 2:
      return draw.pick(["2026-02-30T00:00:00Z", "2026-01-02T24:00:00Z", "2026-01-02t03:04:05z"]);
    default:
      return `${draw.pick(["", "-", "+"])}${digits()}${draw.pick(["", "."])}${digits()}${draw.pick(SUFFIXES)}`;
  }
}

const SUFFIXES = [
  ...["", "n", "u", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"],
  ...["e3", "E-3", "e59", "e-30", "e", "K", "e1000000", "i", "eE", "e+9"],
];
