import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type {
  V1PersistentVolume,
  V1PersistentVolumeClaim,
  V1PersistentVolumeSpec,
  V1Pod,
  V1Volume,
} from "../../gen/types.ts";
import {
  attachedNameOf,
  claimNameOf,
  claimProblem,
  specOfClaim,
  specOfVolume,
  type VolumeSpec,
} from "./claimed-volume.ts";

const volume: V1Volume = { name: "data", persistentVolumeClaim: { claimName: "c" } };
const ephemeral: V1Volume = { name: "data", ephemeral: {} };
const mounting = { volumeMounts: [{ name: "data", mountPath: "/data" }] };
const pod: V1Pod = {
  metadata: { name: "p", namespace: "n", uid: "pod-uid" },
  spec: { containers: [{ name: "app", image: "i", ...mounting }] },
};
const claim: V1PersistentVolumeClaim = {
  metadata: { name: "c", namespace: "n", uid: "claim-uid" },
  spec: { volumeName: "v" },
  status: { phase: "Bound" },
};
const persistent = (spec: V1PersistentVolumeSpec): V1PersistentVolume => ({
  metadata: { name: "v" },
  spec: { claimRef: { uid: "claim-uid" }, accessModes: ["ReadWriteOnce"], ...spec },
});
const csi = { driver: "volumes.skiff.dev", volumeHandle: "h" };

describe("claimNameOf", () => {
  it("is the claim that is named, or that of the Pod and its volume", () => {
    assert.equal(claimNameOf(pod, volume), "c");
    assert.equal(claimNameOf(pod, ephemeral), "p-data");
    assert.equal(claimNameOf(pod, { name: "data", emptyDir: {} }), undefined);
  });
});

describe("claimProblem", () => {
  const rows: readonly (readonly [Partial<V1PersistentVolumeClaim>, V1Volume, string?])[] = [
    [{}, volume],
    [{ status: { phase: "Pending" } }, volume, "error processing PVC n/c: PVC is not bound"],
    [{ status: { phase: "Lost" } }, volume, "error processing PVC n/c: PVC is not bound"],
    [{ spec: {} }, volume, "error processing PVC n/c: PVC has empty pvc.Spec.VolumeName"],
    [
      { metadata: { ...claim.metadata, deletionTimestamp: "2026-01-01T00:00:00Z" } },
      volume,
      "error processing PVC n/c: PVC is being deleted",
    ],
    [{}, ephemeral, "PVC n/c was not created for pod n/p (pod is not owner)"],
  ];
  for (const [change, used, problem] of rows)
    it(problem ?? "none", () =>
      assert.equal(claimProblem(pod, used, { ...claim, ...change }), problem),
    );
  it("none of an ephemeral volume whose claim the Pod owns", () => {
    const owner = { apiVersion: "v1", kind: "Pod", name: "p", uid: "pod-uid", controller: true };
    const owned = { ...claim, metadata: { ...claim.metadata, ownerReferences: [owner] } };
    assert.equal(claimProblem(pod, ephemeral, owned), undefined);
  });
});

describe("specOfClaim", () => {
  const of = (spec: V1PersistentVolumeSpec, used = volume, user = pod) =>
    specOfClaim(user, used, claim, persistent(spec));
  const known = (spec: V1PersistentVolumeSpec, used = volume): VolumeSpec => {
    const verdict = of(spec, used);
    assert.ok(verdict.kind === "known");
    return verdict.spec;
  };
  const message = (spec: V1PersistentVolumeSpec, user = pod): string => {
    const verdict = of(spec, volume, user);
    return verdict.kind === "unprocessed" ? verdict.message : "";
  };

  it("a volume of the cluster is attached by its handle, any other not", () => {
    assert.equal(attachedNameOf(known({ csi })), "kubernetes.io/csi/volumes.skiff.dev^h");
    assert.equal(attachedNameOf(known({ csi: { ...csi, driver: "other" } })), undefined);
    assert.equal(attachedNameOf(known({ hostPath: { path: "/x" } })), undefined);
  });

  const readers: readonly (readonly [string, V1PersistentVolumeSpec, V1Volume, boolean])[] = [
    ["may be written", { csi }, volume, false],
    [
      "not by a claim that is read only",
      { csi },
      { name: "data", persistentVolumeClaim: { claimName: "c", readOnly: true } },
      true,
    ],
    ["not where the volume is", { csi: { ...csi, readOnly: true } }, volume, true],
    ["not with ReadOnlyMany alone", { csi, accessModes: ["ReadOnlyMany"] }, volume, true],
    [
      "with another mode beside it",
      { csi, accessModes: ["ReadOnlyMany", "ReadWriteOnce"] },
      volume,
      false,
    ],
  ];
  for (const [name, spec, used, isReadOnly] of readers)
    it(name, () => assert.equal(known(spec, used).isReadOnly, isReadOnly));

  it("refuses what belongs to nobody or another, has another mode, or no plugin", () => {
    const prefix = "error processing PVC n/c: found PV object v but";
    const device = {
      containers: [{ name: "app", volumeDevices: [{ name: "data", devicePath: "/d" }] }],
    };
    assert.equal(
      message({ csi, claimRef: { uid: "x" } }),
      `${prefix} its pvc.Spec.ClaimRef.UID x does not point to claim.UID claim-uid`,
    );
    assert.equal(
      message({ csi, volumeMode: "Block" }),
      "volume data has volumeMode Block, but is specified in volumeMounts",
    );
    assert.equal(
      message({ csi }, { ...pod, spec: device }),
      "volume data has volumeMode Filesystem, but is specified in volumeDevices",
    );
    assert.equal(
      message({ gcePersistentDisk: { pdName: "d" } }),
      'failed to get Plugin from volumeSpec for volume "v" err=no volume plugin matched',
    );
  });

  it("mount options are those of the field, or of the annotation from before it", () => {
    const annotations = { "volume.beta.kubernetes.io/mount-options": "ro,soft" };
    const old = { ...persistent({ csi }), metadata: { name: "v", annotations } };
    const verdict = specOfClaim(pod, volume, claim, old);
    assert.deepEqual(verdict.kind === "known" && verdict.spec.mountOptions, ["ro", "soft"]);
    assert.deepEqual(known({ csi, mountOptions: ["noexec"] }).mountOptions, ["noexec"]);
  });
});

describe("specOfVolume", () => {
  it("knows NFS and CSI; disks of clouds have no plugin", () => {
    const kinds = [
      specOfVolume({ name: "v", nfs: { server: "s", path: "/" } }),
      specOfVolume({ name: "v", csi: { driver: "d" } }),
      specOfVolume({ name: "v", awsElasticBlockStore: { volumeID: "x" } }),
    ].map(({ kind }) => kind);
    assert.deepEqual(kinds, ["known", "known", "unprocessed"]);
  });
});
