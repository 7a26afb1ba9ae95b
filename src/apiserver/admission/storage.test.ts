import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { admitted } from "../../../test/support/admission-call.ts";
import { StaticCache } from "../../../test/support/static-cache.ts";
import { PersistentVolumeClaim } from "../../api/core/persistent-volume-claim.ts";
import { PersistentVolume } from "../../api/core/persistent-volume.ts";
import { StorageClass } from "../../api/storage/storage-class.ts";
import {
  DefaultStorageClass,
  PersistentVolumeClaimResize,
  storageObjectInUseProtection,
} from "./storage.ts";

const IS_DEFAULT = { "storageclass.kubernetes.io/is-default-class": "true" };
const provisioner = "p";
const classes = new StaticCache()
  .put(StorageClass, { metadata: { name: "best", annotations: IS_DEFAULT }, provisioner })
  .put(StorageClass, { metadata: { name: "soft" }, provisioner, allowVolumeExpansion: true });

const claim = (spec: object, metadata: object = {}, phase = "Bound"): PersistentVolumeClaim => ({
  metadata: { name: "c", namespace: "d", ...metadata },
  spec,
  status: { phase },
});

describe("DefaultStorageClass", () => {
  const beta = { "volume.beta.kubernetes.io/storage-class": "old" };
  const rows: readonly (readonly [string, StaticCache, PersistentVolumeClaim, unknown])[] = [
    ["no class, a default", classes, claim({}), "best"],
    ["no class, no default", new StaticCache(), claim({}), undefined],
    ["a class", classes, claim({ storageClassName: "soft" }), "soft"],
    ["none, and that on purpose", classes, claim({ storageClassName: "" }), ""],
    ["one by the annotation", classes, claim({}, { annotations: beta }), undefined],
  ];
  for (const [what, cache, object, expected] of rows)
    it(`${what} → ${JSON.stringify(expected)}`, () => {
      const found = admitted(new DefaultStorageClass(cache), { kind: PersistentVolumeClaim, object }); // prettier-ignore
      assert.equal((found as PersistentVolumeClaim).spec?.storageClassName, expected);
    });

  it("leaves claims alone that are there", () => {
    const object = claim({});
    const options = { kind: PersistentVolumeClaim, object, old: object };
    assert.equal(admitted(new DefaultStorageClass(classes), options), object);
  });
});

describe("storageObjectInUseProtection", () => {
  const finalizers = (kind: typeof PersistentVolumeClaim | typeof PersistentVolume, old?: string) =>
    (
      admitted(storageObjectInUseProtection, {
        kind,
        object: claim({}, old === undefined ? {} : { finalizers: [old] }),
      }) as PersistentVolumeClaim
    ).metadata?.finalizers;

  it("keeps new claims and volumes, beside what keeps them already", () => {
    assert.deepEqual(finalizers(PersistentVolumeClaim), ["kubernetes.io/pvc-protection"]);
    assert.deepEqual(finalizers(PersistentVolume), ["kubernetes.io/pv-protection"]);
    assert.deepEqual(finalizers(PersistentVolume, "x/y"), ["x/y", "kubernetes.io/pv-protection"]);
    const twice = finalizers(PersistentVolume, "kubernetes.io/pv-protection");
    assert.deepEqual(twice, ["kubernetes.io/pv-protection"]);
  });
});

describe("PersistentVolumeClaimResize", () => {
  const size = (storage: string, storageClassName?: string, phase = "Bound") =>
    claim({ storageClassName, resources: { requests: { storage } } }, {}, phase);
  const refused = (why: string) => `persistentvolumeclaims "c" is forbidden: ${why}`;
  const UNBOUND = refused("Only bound persistent volume claims can be expanded");
  const RIGID = refused(
    "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize",
  );
  type Row = readonly [string, PersistentVolumeClaim, PersistentVolumeClaim, string | undefined];
  const rows: readonly Row[] = [
    ["its class allows it", size("1Gi", "soft"), size("2Gi", "soft"), undefined],
    ["its class does not", size("1Gi", "best"), size("2Gi", "best"), RIGID],
    ["its class has gone", size("1Gi", "gone"), size("2Gi", "gone"), RIGID],
    ["no class", size("1Gi"), size("2Gi"), RIGID],
    ["no volume yet", size("1Gi", "soft", "Pending"), size("2Gi", "soft"), UNBOUND],
    ["smaller", size("2Gi"), size("1Gi"), undefined],
    ["the same, written otherwise", size("1Gi"), size("1024Mi"), undefined],
  ];
  for (const [what, old, object, expected] of rows)
    it(`${what} → ${expected ?? "allowed"}`, () => {
      const options = { kind: PersistentVolumeClaim, object, old };
      const found = admitted(new PersistentVolumeClaimResize(classes), options);
      assert.equal(typeof found === "string" ? found : undefined, expected);
    });
});
