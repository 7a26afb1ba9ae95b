import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { errorLines } from "../../../test/support/field-errors.ts";
import type { V1PersistentVolumeClaim, V1PersistentVolumeClaimSpec } from "../../gen/types.ts";
import { persistentVolumeClaimResource } from "./persistent-volume-claim.ts";

const { strategy, columns } = persistentVolumeClaimResource;

function claim(
  spec: Partial<V1PersistentVolumeClaimSpec> = {},
  parts: Partial<V1PersistentVolumeClaim> = {},
): V1PersistentVolumeClaim {
  return strategy.withDefaults({
    metadata: { name: "data" },
    spec: {
      accessModes: ["ReadWriteOnce"],
      resources: { requests: { storage: "1Gi" } },
      ...spec,
    },
    ...parts,
  });
}

function row(spec: Partial<V1PersistentVolumeClaimSpec>, ...expected: string[]): void {
  it(JSON.stringify(spec), () =>
    assert.deepEqual(errorLines(strategy.validate(claim(spec))), expected),
  );
}

const size = (storage: string): V1PersistentVolumeClaimSpec => ({
  resources: { requests: { storage } },
});

describe("a claim", () => {
  it("is pending and wants a file system unless it says otherwise", () => {
    const { spec, status } = claim();
    assert.deepEqual([spec!.volumeMode, status], ["Filesystem", { phase: "Pending" }]);
    const once = claim();
    assert.equal(strategy.withDefaults(once), once);
  });

  row({});
  row({ accessModes: [] }, "spec.accessModes Required: at least 1 access mode is required");
  row(
    { accessModes: ["Often"] },
    'spec.accessModes NotSupported: supported values: "ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"',
  );
  row(
    { accessModes: ["ReadWriteOncePod", "ReadOnlyMany"] },
    "spec.accessModes Forbidden: may not use ReadWriteOncePod with other access modes",
  );
  row({ resources: {} }, "spec.resources[storage] Required");
  row(size("0"), "spec.resources[storage] Invalid: must be greater than zero");
  row(
    { volumeMode: "Tape" },
    'spec.volumeMode NotSupported: supported values: "Block", "Filesystem"',
  );
  row(
    { dataSource: { kind: "Snap", name: "" } },
    "spec.dataSource.name Required",
    "spec.dataSource Invalid",
  );

  it("says in both fields what fills its volume", () => {
    const source = { kind: "PersistentVolumeClaim", name: "other" };
    const { spec } = strategy.prepareForCreate(claim({ dataSourceRef: source }), {
      now: 0,
      user: "",
    });
    assert.deepEqual(spec!.dataSource, source);
  });
});

describe("a claim that changes", () => {
  const BOUND = { status: { phase: "Bound", capacity: { storage: "2Gi" } } };
  const IMMUTABLE =
    "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims";
  const change = (old: V1PersistentVolumeClaim, fresh: V1PersistentVolumeClaim): string[] =>
    errorLines(strategy.validateUpdate(fresh, old));

  it("gets its volume once", () => {
    assert.deepEqual(change(claim(), claim({ volumeName: "v" })), []);
    assert.deepEqual(change(claim({ volumeName: "v" }), claim({ volumeName: "w" })), [
      `spec Forbidden: ${IMMUTABLE}\n  spec.volumeName: "v" → "w"`,
    ]);
  });

  it("gets its class once", () => {
    assert.deepEqual(change(claim(), claim({ storageClassName: "fast" })), []);
    assert.equal(
      change(claim({ storageClassName: "a" }), claim({ storageClassName: "b" })).length,
      1,
    );
  });

  it("grows when it is bound, and shrinks no further than what it has", () => {
    assert.deepEqual(change(claim(size("2Gi"), BOUND), claim(size("4Gi"), BOUND)), []);
    assert.deepEqual(change(claim(size("4Gi"), BOUND), claim(size("3Gi"), BOUND)), []);
    assert.deepEqual(change(claim(size("4Gi"), BOUND), claim(size("2Gi"), BOUND)), [
      "spec.resources.requests.storage Forbidden: field can not be less than status.capacity",
    ]);
    assert.equal(change(claim(size("1Gi")), claim(size("2Gi"))).length, 1);
  });
});

describe("a claim's row", () => {
  const cells = (shown: V1PersistentVolumeClaim): unknown[] =>
    columns.map((column) => column.cell(shown, 0));

  it("shows the volume once there is one", () => {
    const status = {
      phase: "Bound",
      accessModes: ["ReadWriteMany", "ReadWriteOnce"],
      capacity: { storage: "1024Mi" },
    };
    assert.deepEqual(cells(claim({ volumeName: "v", storageClassName: "fast" }, { status })), [
      "data",
      "Bound",
      "v",
      "1Gi",
      "RWO,RWX",
      "fast",
      "<unset>",
      "<unknown>",
      "Filesystem",
    ]);
    assert.deepEqual(cells(claim()).slice(0, 6), ["data", "Pending", "", "", "", ""]);
  });
});
