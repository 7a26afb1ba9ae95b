import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { V1PersistentVolumeSpec } from "../../gen/types.ts";
import { persistentVolumeResource } from "./persistent-volume.ts";

const { strategy, columns } = persistentVolumeResource;
const SPEC: V1PersistentVolumeSpec = {
  accessModes: ["ReadWriteOnce"],
  capacity: { storage: "1Gi" },
  hostPath: { path: "/data" },
};
const of = (spec: V1PersistentVolumeSpec) => ({ metadata: { name: "v" }, spec });

describe("PersistentVolume", () => {
  it("gets defaults and a status of its own", () => {
    const volume = strategy.prepareForCreate(strategy.withDefaults(of(SPEC)), {
      now: 0,
      user: "",
      uid: "u",
    });
    assert.equal(volume.spec?.persistentVolumeReclaimPolicy, "Retain");
    assert.equal(volume.spec?.volumeMode, "Filesystem");
    assert.deepEqual(volume.status, {
      phase: "Pending",
      lastPhaseTransitionTime: "1970-01-01T00:00:00Z",
    });
  });

  const { hostPath: _, ...bare } = SPEC;
  const rows: readonly (readonly [string, V1PersistentVolumeSpec, readonly string[]])[] = [
    ["good", SPEC, []],
    ["no source", bare, ["spec must specify a volume type"]],
    [
      "two sources",
      { ...SPEC, nfs: { server: "s", path: "/" } },
      ["spec.nfs may not specify more than 1 volume type"],
    ],
    ["no capacity", { ...SPEC, capacity: {} }, ["spec.capacity "]],
    [
      "an empty capacity",
      { ...SPEC, capacity: { storage: "0" } },
      ["spec.capacity[storage] must be greater than zero"],
    ],
    ["no access", { ...SPEC, accessModes: [] }, ["spec.accessModes "]],
    [
      "a path that leads out",
      { ...SPEC, hostPath: { path: "/a/../b" } },
      ["spec.hostPath.path must not contain '..'"],
    ],
    [
      "a disk of no node",
      { ...bare, local: { path: "/d" } },
      ["spec.nodeAffinity Local volume requires node affinity"],
    ],
    [
      "the root, recycled",
      { ...SPEC, hostPath: { path: "/" }, persistentVolumeReclaimPolicy: "Recycle" },
      ["spec.persistentVolumeReclaimPolicy may not be 'recycle' for a hostPath mount of '/'"],
    ],
    [
      "a driver without a handle",
      { ...bare, csi: { driver: "d" } as never },
      ["spec.csi.volumeHandle "],
    ],
  ];
  for (const [what, spec, wanted] of rows)
    it(`is validated: ${what}`, () => {
      const shown = strategy.validate(of(spec)).map(({ field, detail }) => `${field} ${detail}`);
      assert.deepEqual(shown, wanted);
    });

  it("stays what it is", () => {
    const errors = strategy.validateUpdate(of({ ...SPEC, hostPath: { path: "/b" } }), of(SPEC));
    assert.deepEqual(
      errors.map(({ field }) => field),
      ["spec.persistentvolumesource"],
    );
  });
  it("shows whose it is", () => {
    const spec = { ...SPEC, claimRef: { namespace: "d", name: "c" } };
    const cells = columns.map(({ cell }) => cell({ ...of(spec), status: { phase: "Bound" } }, 0));
    assert.deepEqual(cells.slice(1, 6), ["1Gi", "RWO", "", "Bound", "d/c"]);
  });
});
