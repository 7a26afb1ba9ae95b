import assert from "node:assert/strict";
import { conform } from "../../../src/api/machinery/conform.ts";
import {
  encodeProtobuf,
  openProtobuf,
  protobufType,
  readProtobuf,
  speaksProtobuf,
} from "../../../src/api/machinery/protobuf.ts";
import { ProtobufError } from "../../../src/base/protobuf.ts";
import { mutated } from "../draw.ts";
import { assertSameJson, valueUnless } from "../expect.ts";
import { typedRecord } from "../json-values.ts";
import { headOf, KINDS, schemas, typeOf } from "../kinds.ts";
import type { FuzzTarget } from "../target.ts";

/** Protobuf bodies: any bytes give a value or a refusal; what was read and written again reads the same. */
export const protobufBody: FuzzTarget = {
  name: "protobuf-body",
  runs: 1500,
  make(draw) {
    const key = draw.pick(KINDS.filter((one) => speaksProtobuf(typeOf(one))));
    const fitted = conform(schemas, typeOf(key), {
      ...typedRecord(draw, schemas, typeOf(key), 0),
      ...headOf(key),
    });
    const value = fitted.isOk ? fitted.value : headOf(key);
    const bytes = encodeProtobuf(schemas, typeOf(key), value);
    return draw.chance(60) ? mutated(draw, bytes) : bytes;
  },
  check(input) {
    const first = valueOf(input);
    if (!first) return;
    const { apiVersion, kind, value } = first;
    const type = protobufType(schemas, apiVersion, kind)!;
    const fitted = conform(schemas, type, value);
    if (!fitted.isOk) return assert.notEqual(fitted.message, "");
    const again = valueOf(encodeProtobuf(schemas, type, fitted.value));
    assert.ok(again, "what was written cannot be read");
    const twice = conform(schemas, type, again.value);
    assert.ok(twice.isOk, JSON.stringify(twice));
    assertSameJson(twice.value, fitted.value);
  },
};

function valueOf(bytes: Buffer) {
  return valueUnless([ProtobufError], () => {
    const document = openProtobuf(bytes);
    const { apiVersion, kind } = document;
    const type = protobufType(schemas, apiVersion, kind);
    if (!type || !speaksProtobuf(type)) return undefined;
    return { apiVersion, kind, value: readProtobuf(schemas, type, document) };
  });
}
