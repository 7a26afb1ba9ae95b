import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { errorLines } from "../../../test/support/field-errors.ts";
import type { V1CSIDriverSpec, V1CSINodeDriver } from "../../gen/types.ts";
import type { KubeObject } from "../machinery/object.ts";
import type { Resource } from "../machinery/resource.ts";
import { csiDriverResource } from "./csi-driver.ts";
import { csiNodeResource } from "./csi-node.ts";
import { csiStorageCapacityResource } from "./csi-storage-capacity.ts";
import { defaultClassOf, storageClassResource, type StorageClass } from "./storage-class.ts";
import { volumeAttachmentResource, type VolumeAttachment } from "./volume-attachment.ts";
import { volumeAttributesClassResource } from "./volume-attributes-class.ts";

const IMMUTABLE = "Invalid: field is immutable";
const PROVISIONER = { provisioner: "a.example/b" };

/** One object and what is wrong with it, each field and type once. */
function row<T extends KubeObject>(
  { kind, strategy }: Resource<T>,
  parts: object,
  ...wrong: string[]
): void {
  it(`${kind.kind} ${JSON.stringify(parts)} → ${wrong.join(", ") || "valid"}`, () => {
    const object = { metadata: { name: "x" }, ...parts } as unknown as T;
    const errors = strategy.validate(strategy.withDefaults(object));
    assert.deepEqual([...new Set(errors.map(({ field, type }) => `${field} ${type}`))], wrong);
  });
}

/** Two versions of one object and what is wrong with the change. */
function change<T extends KubeObject>(
  { kind, strategy }: Resource<T>,
  old: object,
  parts: object,
  ...wrong: string[]
): void {
  it(`${kind.kind} ${JSON.stringify(old)} → ${JSON.stringify(parts)}`, () => {
    const made = (one: object) =>
      strategy.withDefaults({ metadata: { name: "x" }, ...one } as unknown as T);
    assert.deepEqual(errorLines(strategy.validateUpdate(made(parts), made(old))), wrong);
  });
}

/** The cells of `kubectl get`, without the age. */
function cells<T extends KubeObject>({ columns, strategy }: Resource<T>, object: object) {
  const shown = columns.filter(({ name }) => name !== "Age");
  return shown.map(({ cell }) => cell(strategy.withDefaults(object as unknown as T), 0));
}

describe("storage.k8s.io: what is refused", () => {
  const term = (values: string[], key = "zone") => ({ matchLabelExpressions: [{ key, values }] });
  row(storageClassResource, PROVISIONER);
  row(storageClassResource, { ...PROVISIONER, allowedTopologies: [term(["a"]), term(["b"])] });
  row(storageClassResource, {}, "provisioner Required");
  row(storageClassResource, { provisioner: "a/b/c" }, "provisioner Invalid");
  row(storageClassResource, { provisioner: "Kubernetes.io/AWS-EBS" });
  row(storageClassResource, { ...PROVISIONER, parameters: { "": "x" } }, "parameters Invalid");
  row(
    storageClassResource,
    { ...PROVISIONER, reclaimPolicy: "Recycle" },
    "reclaimPolicy NotSupported",
  );
  row(
    storageClassResource,
    { ...PROVISIONER, volumeBindingMode: "Later" },
    "volumeBindingMode NotSupported",
  );
  row(
    storageClassResource,
    { ...PROVISIONER, allowedTopologies: [term(["a"]), term(["a"])] },
    "allowedTopologies[1].matchLabelExpressions Duplicate",
  );
  row(
    storageClassResource,
    { ...PROVISIONER, allowedTopologies: [term([]), term(["a", "a"], "!")] },
    "allowedTopologies[0].matchLabelExpressions[0].values Required",
    "allowedTopologies[1].matchLabelExpressions[0].values[1] Duplicate",
    "allowedTopologies[1].matchLabelExpressions[0].key Invalid",
  );

  const source = { persistentVolumeName: "v" };
  const attachment = { attacher: "d", nodeName: "n", source };
  const csi = { driver: "d", volumeHandle: "h" };
  const inline = { accessModes: ["ReadWriteOnce"], csi };
  row(volumeAttachmentResource, { spec: attachment });
  row(volumeAttachmentResource, { spec: { ...attachment, source: { inlineVolumeSpec: inline } } });
  row(
    volumeAttachmentResource,
    { spec: { ...attachment, source: { inlineVolumeSpec: { ...inline, volumeMode: "Block" } } } },
    "spec.source.inlineVolumeSpec.volumeMode Forbidden",
  );
  row(
    volumeAttachmentResource,
    { spec: { source: { ...source, inlineVolumeSpec: inline } } },
    "spec.attacher Required",
    "spec.source Forbidden",
    "spec.nodeName Invalid",
    "spec.attacher Invalid",
  );
  row(
    volumeAttachmentResource,
    { spec: { ...attachment, source: {} }, status: { attachError: { message: "m".repeat(1025) } } },
    "spec.source Required",
    "status.attachError.message TooLong",
  );

  const driver = (spec: V1CSIDriverSpec, ...wrong: string[]) =>
    row(csiDriverResource, { spec }, ...wrong);
  driver({});
  driver({ fsGroupPolicy: "Sometimes" }, "spec.fsGroupPolicy NotSupported");
  driver({ volumeLifecycleModes: ["Eternal"] }, "spec.volumeLifecycleModes NotSupported");
  driver(
    { tokenRequests: [{ audience: "a" }, { audience: "a" }, { audience: "b", expirationSeconds: 9 }] }, // prettier-ignore
    "spec.tokenRequests[1].audience Duplicate",
    "spec.tokenRequests[2].expirationSeconds Invalid",
  );
  driver(
    { nodeAllocatableUpdatePeriodSeconds: 9, serviceAccountTokenInSecrets: true },
    "spec.nodeAllocatableUpdatePeriodSeconds Invalid",
    "spec.serviceAccountTokenInSecrets Invalid",
  );

  const node = (drivers: V1CSINodeDriver[], ...wrong: string[]) =>
    row(csiNodeResource, { spec: { drivers } }, ...wrong);
  const good = { name: "d", nodeID: "n", topologyKeys: ["zone"] };
  node([good]);
  node([{ ...good, name: "d".repeat(64) }], "spec.drivers[0].name TooLong");
  node([{ ...good, nodeID: "" }], "spec.drivers[0].nodeID Required");
  node([{ ...good, allocatable: { count: -1 } }], "spec.drivers[0].allocatable.count Invalid");
  node([{ ...good, topologyKeys: ["zone", "zone"] }], "spec.drivers[0] Duplicate");
  node([good, good], "spec.drivers[1].name Duplicate");

  row(csiStorageCapacityResource, { storageClassName: "c", capacity: "1Gi" });
  row(
    csiStorageCapacityResource,
    { nodeTopology: { matchLabels: { "!": "" } }, capacity: "-1" },
    "nodeTopology.matchLabels Invalid",
    "storageClassName Invalid",
    "capacity Invalid",
  );
  row(volumeAttributesClassResource, { driverName: "d", parameters: { iops: "1" } });
  row(volumeAttributesClassResource, {}, "driverName Required", "parameters Required");
});

describe("storage.k8s.io: what may change", () => {
  change(
    storageClassResource,
    { ...PROVISIONER },
    { ...PROVISIONER, allowVolumeExpansion: true, mountOptions: ["ro"] },
  );
  change(
    storageClassResource,
    { ...PROVISIONER, parameters: { a: "1" } },
    { provisioner: "b", reclaimPolicy: "Retain", volumeBindingMode: "WaitForFirstConsumer" },
    "parameters Forbidden: updates to parameters are forbidden.",
    "provisioner Forbidden: updates to provisioner are forbidden.",
    "reclaimPolicy Forbidden: updates to reclaimPolicy are forbidden.",
    `volumeBindingMode ${IMMUTABLE}`,
  );
  const spec = { attacher: "d", nodeName: "n", source: { persistentVolumeName: "v" } };
  change(
    volumeAttachmentResource,
    { spec },
    { spec: { ...spec, nodeName: "m" } },
    `spec ${IMMUTABLE}`,
  );
  change(csiDriverResource, { spec: {} }, { spec: { podInfoOnMount: true } });
  change(
    csiDriverResource,
    { spec: {} },
    { spec: { attachRequired: false, volumeLifecycleModes: ["Ephemeral"] } },
    `spec.attachedRequired ${IMMUTABLE}`,
    `spec.volumeLifecycleModes ${IMMUTABLE}`,
  );
  const drivers = (nodeID: string, count: number) => ({
    spec: { drivers: [{ name: "d", nodeID, allocatable: { count } }] },
  });
  change(csiNodeResource, drivers("n", 1), drivers("n", 2));
  change(csiNodeResource, drivers("n", 1), drivers("m", 1), `spec.drivers ${IMMUTABLE}`);
  change(
    csiStorageCapacityResource,
    { storageClassName: "c", capacity: "1" },
    { storageClassName: "d", nodeTopology: { matchLabels: { a: "b" } }, capacity: "2" },
    `nodeTopology ${IMMUTABLE}`,
    `storageClassName ${IMMUTABLE}`,
  );
});

describe("a StorageClass", () => {
  const of = (name: string, made: string, annotations: Record<string, string>): StorageClass => ({
    metadata: { name, creationTimestamp: made, annotations },
    provisioner: "p",
  });
  const IS = { "storageclass.kubernetes.io/is-default-class": "true" };
  const WAS = { "storageclass.beta.kubernetes.io/is-default-class": "true" };

  it("deletes and binds at once unless it says otherwise, and shows that it is the default", () => {
    assert.deepEqual(cells(storageClassResource, of("a", "", IS)), [
      "a (default)",
      "p",
      "Delete",
      "Immediate",
      false,
    ]);
  });

  it("is the default if it is the youngest that says so, by either annotation", () => {
    const classes = [
      of("z", "2026-01-02T00:00:00Z", {}),
      of("c", "2026-01-01T00:00:01Z", IS),
      of("b", "2026-01-01T00:00:01Z", WAS),
      of("a", "2026-01-01T00:00:00Z", IS),
    ];
    assert.equal(defaultClassOf(classes)?.metadata?.name, "b");
    assert.equal(defaultClassOf(classes.slice(0, 1)), undefined);
  });

  it("warns of labels that have other names now", () => {
    const key = "failure-domain.beta.kubernetes.io/zone";
    const allowedTopologies = [{ matchLabelExpressions: [{ key, values: ["a"] }] }];
    assert.deepEqual(
      storageClassResource.strategy.warnings?.(
        { ...of("a", "", {}), allowedTopologies },
        undefined,
      ),
      [
        `allowedTopologies[0].matchLabelExpressions[0].key: ${key} is deprecated since v1.17; use "topology.kubernetes.io/zone" instead`,
      ],
    );
  });
});

describe("the others of storage.k8s.io", () => {
  it("a CSIDriver counts changes of what may change", () => {
    const { strategy } = csiDriverResource;
    const old = strategy.withDefaults({ metadata: { name: "d" }, spec: {} });
    const facts = { now: 0, user: "" };
    const update = (spec: V1CSIDriverSpec): number | undefined =>
      strategy.prepareForUpdate({ ...old, spec: { ...old.spec, ...spec } }, old, facts).metadata
        ?.generation;
    assert.equal(update({}), undefined);
    assert.equal(update({ requiresRepublish: true }), 1);
    assert.equal(update({ attachRequired: false }), undefined);
  });

  it("a VolumeAttachment is not attached before somebody says so, who changes nothing else", () => {
    const { strategy, subresources } = volumeAttachmentResource;
    const given: VolumeAttachment = {
      metadata: { name: "a", labels: { a: "b" } },
      spec: { attacher: "d", nodeName: "n", source: { persistentVolumeName: "v" } },
      status: { attached: true },
    };
    const facts = { now: 0, user: "" };
    const made = strategy.prepareForCreate(given, facts);
    assert.deepEqual(made.status, { attached: false });
    const asked = { ...given, metadata: { name: "a", finalizers: ["x/y"] } };
    const attached = subresources!.status!.prepareForUpdate(asked, made, facts);
    assert.deepEqual(attached.metadata, { name: "a", labels: { a: "b" } });
    assert.deepEqual(cells(volumeAttachmentResource, attached), ["a", "d", "v", "n", true]);
  });

  it("show what they are", () => {
    const metadata = { name: "d" };
    assert.deepEqual(cells(csiDriverResource, { metadata, spec: {} }), [
      "d",
      true,
      false,
      false,
      "<unset>",
      false,
      "Persistent",
    ]);
    const drivers = [{ name: "d", nodeID: "n" }];
    assert.deepEqual(cells(csiNodeResource, { metadata, spec: { drivers } }), ["d", 1]);
    const capacity = { metadata, storageClassName: "c", capacity: "1024Mi" };
    assert.deepEqual(cells(csiStorageCapacityResource, capacity), ["d", "c", "1Gi"]);
    const attributes = { metadata, driverName: "x" };
    assert.deepEqual(cells(volumeAttributesClassResource, attributes), ["d", "x"]);
  });
});
