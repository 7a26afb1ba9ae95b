import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { V1PersistentVolumeSpec } from "../../gen/types.ts";
import type { PersistentVolumeClaim } from "../../api/core/persistent-volume-claim.ts";
import type { PersistentVolume } from "../../api/core/persistent-volume.ts";
import { planVolume } from "./volume-plan.ts";

const MADE = "pv.kubernetes.io/provisioned-by";
const CHOSEN = "pv.kubernetes.io/bound-by-controller";
const GIVEN = { namespace: "d", name: "c", uid: "u" };

interface Parts {
  readonly phase?: string;
  readonly spec?: V1PersistentVolumeSpec;
  readonly annotations?: Record<string, string>;
  readonly finalizers?: string[];
  readonly deletionTimestamp?: string;
}

const volume = ({
  phase = "Pending",
  spec = {},
  annotations = {},
  ...more
}: Parts): PersistentVolume => ({
  metadata: { name: "a", annotations, ...more },
  spec: { persistentVolumeReclaimPolicy: "Retain", ...spec },
  status: { phase },
});

const claim = (volumeName?: string, volumeMode?: string): PersistentVolumeClaim => ({
  metadata: { name: "c", namespace: "d", uid: "u" },
  spec: { ...(volumeName && { volumeName }), ...(volumeMode && { volumeMode }) },
});

/** What is done: `claimRef` that is written, new phase, events. */
function row(what: string, parts: Parts, of: PersistentVolumeClaim | undefined, expected: string) {
  it(`${what} → ${expected || "nothing"}`, () => {
    const { writes = [], status, events = [] } = planVolume({ volume: volume(parts), claim: of });
    const written = writes.map((write) => {
      const { spec, metadata } = (write as { object: PersistentVolume }).object;
      assert.equal(metadata?.annotations?.[CHOSEN], undefined);
      return spec?.claimRef ? `for ${spec.claimRef.name}/${spec.claimRef.uid ?? ""}` : "free";
    });
    const phase = (status as { phase?: string } | undefined)?.phase;
    const said = events.map(({ reason }) => reason);
    assert.equal([...written, ...(phase ? [phase] : []), ...said].join("; "), expected);
  });
}

const given = (policy: string, more: V1PersistentVolumeSpec = {}): V1PersistentVolumeSpec => ({
  claimRef: GIVEN,
  persistentVolumeReclaimPolicy: policy,
  ...more,
});

describe("a volume", () => {
  row("new", {}, undefined, "Available");
  row("free", { phase: "Available" }, undefined, "");
  row("reserved", { spec: { claimRef: { namespace: "d", name: "c" } } }, claim(), "Available");
  row("freed by hand", { phase: "Released" }, undefined, "Available");
  row("with its claim", { spec: given("Retain") }, claim("a"), "Bound");
  row("bound", { phase: "Bound", spec: given("Retain") }, claim("a"), "");
  row("whose claim does not know yet", { spec: given("Retain") }, claim(), "");
  row(
    "a device for a file system",
    { spec: given("Retain", { volumeMode: "Block" }) },
    claim(),
    "VolumeMismatch; VolumeMismatch",
  );
});

describe("a volume of the cluster's own driver whose handle names no folder", () => {
  const own = (more: V1PersistentVolumeSpec = {}): V1PersistentVolumeSpec => ({
    csi: { driver: "volumes.skiff.dev", volumeHandle: "a/b" },
    ...more,
  });
  row("new", { spec: own() }, undefined, "Failed; InvalidVolumeHandle");
  row("told already", { phase: "Failed", spec: own() }, undefined, "");
  row(
    "reserved",
    { spec: own({ claimRef: { namespace: "d", name: "c" } }) },
    claim(),
    "Failed; InvalidVolumeHandle",
  );
  row("given", { spec: own(given("Retain")) }, claim(), "Failed; InvalidVolumeHandle");
  row("that somebody has, from before", { spec: own(given("Retain")) }, claim("a"), "Bound");
  const released = { phase: "Released", spec: own(given("Delete")) };
  row("to be deleted", released, undefined, "Failed; VolumeFailedDelete");
  it("says what was expected", () => {
    const { status, events } = planVolume({ volume: volume({ spec: own() }), claim: undefined });
    const message =
      `the volume handle "a/b" cannot name a folder: expected letters, digits, '-', '_' and '.', ` +
      "beginning with a letter or digit";
    assert.deepEqual(status, { phase: "Failed", message });
    assert.equal(events?.[0]?.message, message);
  });
});

describe("a volume whose claim has another", () => {
  const annotations = { [CHOSEN]: "yes" };
  row(
    "chosen by us",
    { phase: "Bound", spec: given("Retain"), annotations },
    claim("b"),
    "free; Available",
  );
  row(
    "given by a user",
    { phase: "Bound", spec: given("Retain") },
    claim("b"),
    "for c/; Available",
  );
  row(
    "made for it",
    { phase: "Bound", spec: given("Delete"), annotations: { ...annotations, [MADE]: "x" } },
    claim("b"),
    "Released",
  );
  row(
    "made for it, to be kept",
    { phase: "Bound", spec: given("Retain"), annotations: { ...annotations, [MADE]: "x" } },
    claim("b"),
    "free; Available",
  );
});

describe("a volume of the cluster's own driver", () => {
  const KEPT = "external-provisioner.volume.kubernetes.io/finalizer";
  const going = { deletionTimestamp: "2026-01-01T00:00:00Z" };
  const rows: readonly (readonly [string, Parts, string | undefined])[] = [
    ["to be deleted, kept", { spec: given("Delete"), finalizers: ["x/y", KEPT] }, undefined],
    ["to be deleted, not kept", { spec: given("Delete"), finalizers: ["x/y"] }, `x/y,${KEPT}`],
    ["going already", { spec: given("Delete"), ...going }, undefined],
    ["to be retained, kept", { spec: given("Retain"), finalizers: ["x/y", KEPT] }, "x/y"],
    ["to be retained, going", { spec: given("Retain"), finalizers: [KEPT], ...going }, ""],
    ["to be retained", { spec: given("Retain") }, undefined],
  ];
  for (const [what, parts, expected] of rows)
    it(`${what} → ${expected ?? "as it is"}`, () => {
      const made = volume({
        ...parts,
        phase: "Bound",
        annotations: { [MADE]: "volumes.skiff.dev" },
      });
      const { writes = [] } = planVolume({ volume: made, claim: claim("a") });
      const [written] = writes as readonly { object: PersistentVolume }[];
      assert.equal(written?.object.metadata?.finalizers?.join(), expected);
    });
});

describe("a volume whose claim has gone", () => {
  row("at first", { phase: "Bound", spec: given("Delete") }, undefined, "Released");
  const then = (what: string, spec: V1PersistentVolumeSpec, expected: string, made?: string) =>
    row(
      what,
      { phase: "Released", spec, ...(made && { annotations: { [MADE]: made } }) },
      undefined,
      expected,
    );
  const csi = { driver: "x", volumeHandle: "h" };
  const path = (at: string) => ({ hostPath: { path: at } });
  then("to be kept", given("Retain"), "");
  then("a driver's", given("Delete", { csi }), "");
  then("a driver made", given("Delete", { csi }), "", "x.example");
  then("a built-in one made, a driver deletes", given("Delete"), "", "kubernetes.io/gce-pd");
  then("nobody knows who made", given("Delete"), "Failed; VolumeFailedDelete", "kubernetes.io/odd");
  then("a folder of a node", given("Delete", path("/data")), "Failed; VolumeFailedDelete");
  then(
    "a share",
    given("Delete", { nfs: { server: "s", path: "/" } }),
    "Failed; VolumeFailedDelete",
  );
  then("to be emptied", given("Recycle", path("/data")), "Failed; VolumeFailedRecycle");
  then("to be shredded", given("Shred"), "Failed; VolumeUnknownReclaimPolicy");
  row("failed before", { phase: "Failed", spec: given("Recycle") }, undefined, "");

  it("says why it is not deleted, in its status too", () => {
    const of = (spec: V1PersistentVolumeSpec) =>
      planVolume({ volume: volume({ phase: "Released", spec }), claim: undefined });
    const why = "host_path deleter only supports /tmp/.+ but received provided /data";
    const { status, events } = of(given("Delete", path("/data")));
    assert.deepEqual(status, { phase: "Failed", message: why });
    assert.equal(events?.[0]?.message, why);
    assert.equal(
      of(given("Delete", path("/tmp/x"))).events?.[0]?.message,
      'error getting deleter volume plugin for volume "a": no deletable volume plugin matched',
    );
  });
});
