import assert from "node:assert/strict";
import { deepFreeze } from "../../../src/base/deep-freeze.ts";
import { isRecord, type JsonRecord } from "../../../src/api/machinery/json-value.ts";
import {
  applyConfiguration,
  type Applied,
} from "../../../src/api/machinery/managed-fields/apply.ts";
import { readManagers } from "../../../src/api/machinery/managed-fields/managers.ts";
import { StatusError } from "../../../src/api/machinery/status-error.ts";
import { conform } from "../../../src/api/machinery/conform.ts";
import type { Draw } from "../draw.ts";
import { assertSameJson, valueUnless } from "../expect.ts";
import { anyValue, record, typedRecord } from "../json-values.ts";
import { headOf, KINDS, managedScope, schemas, typeOf } from "../kinds.ts";
import { inputOf, parts, type FuzzTarget } from "../target.ts";

interface Input {
  readonly kind: string;
  readonly live?: JsonRecord;
  readonly config: JsonRecord;
  readonly isForced: boolean;
}

const WRITER = { manager: "fuzz", time: "2026-01-01T00:00:00Z" };

/** Server-side apply: an object or a refusal; the same configuration again changes nothing; managers stay readable. */
export const apply: FuzzTarget = {
  name: "apply",
  runs: 800,
  make(draw) {
    const kind = draw.pick(KINDS);
    const made = (wrong: number): JsonRecord =>
      named(kind, typedRecord(draw, schemas, typeOf(kind), wrong));
    const live = draw.chance(70) ? fitted(kind, made(0)) : undefined;
    const managed = live && draw.chance(70) ? withManagers(draw, kind, live) : live;
    return inputOf({
      kind,
      live: managed,
      config: made(draw.pick([0, 0, 4])),
      isForced: draw.chance(80),
    });
  },
  check(input) {
    const { kind, live, config, isForced } = parts<Input>(input);
    deepFreeze(live);
    deepFreeze(config);
    const scope = managedScope(kind);
    const options = { writer: WRITER, isForced, subject: "fuzz" };
    const first = valueUnless([StatusError], () =>
      applyConfiguration(scope, live, config, options),
    );
    if (!first) return;
    assert.ok(readManagers(first.managedFields), "its managers cannot be read");
    const metadata = { ...first.object.metadata, managedFields: first.managedFields };
    const stored = deepFreeze({ ...first.object, metadata });
    const again = valueUnless([StatusError], () =>
      applyConfiguration(scope, stored, config, options),
    );
    // Who owns an empty map or list is taken to own what is in it now, should it have been atomic once; upstream likewise.
    if (!again || holdsEmpty(config)) return;
    assertSameJson(again.object, first.object);
    // Sets of others may be read in another way now: they were drawn, and need not be what any server wrote.
    const own = ({ managedFields }: Applied): unknown =>
      managedFields.find(({ manager, operation }) => manager === "fuzz" && operation === "Apply");
    assertSameJson(own(again), own(first));
  },
};

function holdsEmpty(value: unknown): boolean {
  if (typeof value !== "object") return false;
  const items = Object.values(value ?? {});
  return items.length === 0 || items.some(holdsEmpty);
}

function fitted(kind: string, value: JsonRecord): JsonRecord | undefined {
  const result = conform(schemas, typeOf(kind), value);
  return result.isOk ? result.value : undefined;
}

/** With what the verb has made sure of: type and name, and no managers. */
function named(kind: string, value: JsonRecord): JsonRecord {
  const given = isRecord(value["metadata"]) ? value["metadata"] : {};
  const { managedFields, ...metadata } = given;
  void managedFields;
  return { ...value, ...headOf(kind), metadata: { ...metadata, name: "a" } };
}

/** Managers as a client may have written them: any fields, right or wrong. */
function withManagers(draw: Draw, kind: string, live: JsonRecord): JsonRecord {
  const { apiVersion } = managedScope(kind);
  const managedFields = draw.times(1 + draw.size(3), () => ({
    manager: draw.pick(["fuzz", "other", "kubectl", draw.text()]),
    operation: draw.pick(["Apply", "Update"]),
    apiVersion: draw.pick([apiVersion, apiVersion, "v0"]),
    time: "2026-01-01T00:00:00Z",
    fieldsType: "FieldsV1",
    fieldsV1: draw.chance(90) ? fieldsOf(draw, live, 4) : anyValue(draw),
  }));
  return { ...live, metadata: { ...(live["metadata"] as object), managedFields } };
}

/** Some of the fields of `value`, as FieldsV1. */
function fieldsOf(draw: Draw, value: unknown, depth: number): Record<string, unknown> {
  const own = draw.chance(30) ? [[".", {}] as const] : [];
  if (depth === 0 || typeof value !== "object" || value === null) return record(own);
  const entries = Object.entries(value)
    .filter(() => draw.chance(60))
    .map(
      ([key, item]) =>
        [elementOf(draw, value, key, item), fieldsOf(draw, item, depth - 1)] as const,
    );
  return record([...own, ...entries]);
}

function elementOf(draw: Draw, value: object, key: string, item: unknown): string {
  if (draw.chance(5)) return draw.text();
  if (!Array.isArray(value)) return `f:${key}`;
  const text = JSON.stringify(item);
  return draw.pick([`i:${key}`, `v:${text}`, `k:${text}`, 'k:{"name":"a"}']);
}
