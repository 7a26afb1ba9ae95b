import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { loadSchemas } from "./schema-set.ts";
import type { FieldSchema } from "./schema.ts";

const schemas = loadSchemas();
const core = (kind: string) => schemas.type(`io.k8s.api.core.v1.${kind}`);
const field = (type: string, name: string): FieldSchema => {
  const found = schemas.type(`io.k8s.${type}`).fields[name];
  assert.ok(found, `${type} has no field ${name}`);
  return found;
};

describe("schemas", () => {
  it("root types are found by group, version and kind", () => {
    const table: [string, string, string, string | undefined][] = [
      ["", "v1", "Pod", "io.k8s.api.core.v1.Pod"],
      ["", "v1", "PodList", "io.k8s.api.core.v1.PodList"],
      ["apps", "v1", "Deployment", "io.k8s.api.apps.v1.Deployment"],
      ["rbac.authorization.k8s.io", "v1", "Role", "io.k8s.api.rbac.v1.Role"],
      ["events.k8s.io", "v1", "Event", "io.k8s.api.events.v1.Event"],
      ["", "v1", "Event", "io.k8s.api.core.v1.Event"],
      ["", "v1", "DeleteOptions", "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions"],
      ["", "v1", "OwnerReference", undefined],
      ["policy", "v1", "Eviction", "io.k8s.api.policy.v1.Eviction"],
      ["autoscaling", "v1", "Scale", "io.k8s.api.autoscaling.v1.Scale"],
      ["authentication.k8s.io", "v1", "TokenRequest", "io.k8s.api.authentication.v1.TokenRequest"],
      [
        "apiextensions.k8s.io",
        "v1",
        "CustomResourceDefinition",
        "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition",
      ],
      ["", "v1", "PodSpec", undefined],
      ["", "v1", "constructor", undefined],
    ];
    for (const [group, version, kind, name] of table)
      assert.equal(schemas.root(group, version, kind)?.name, name);
    assert.deepEqual(core("Pod").kind, { group: "", version: "v1", kind: "Pod" });
  });

  it("an unknown type is a programmer's error", () => {
    assert.throws(() => schemas.type("io.k8s.api.core.v1.Nothing"), { name: "AssertionError" });
    assert.throws(() => schemas.type("toString"), { name: "AssertionError" });
  });

  it("fields stand in upstream's struct order", () => {
    const head = (type: string, count: number) =>
      Object.keys(schemas.type(`io.k8s.${type}`).fields)
        .slice(0, count)
        .join(" ");
    assert.equal(head("api.core.v1.Pod", 5), "kind apiVersion metadata spec status");
    assert.equal(head("api.core.v1.PodList", 4), "kind apiVersion metadata items");
    assert.equal(
      head("api.core.v1.ConfigMap", 6),
      "kind apiVersion metadata immutable data binaryData",
    );
    assert.equal(
      head("apimachinery.pkg.apis.meta.v1.ObjectMeta", 20),
      "name generateName namespace selfLink uid resourceVersion generation creationTimestamp deletionTimestamp " +
        "deletionGracePeriodSeconds labels annotations ownerReferences finalizers managedFields",
    );
    assert.equal(head("api.core.v1.Container", 5), "name image command args workingDir");
    assert.equal(head("api.core.v1.ServicePort", 3), "name protocol appProtocol");
  });

  it("scalars that look like text or numbers are told apart", () => {
    const kind = (type: string, name: string) => {
      const found = field(type, name);
      return found.items ? `${found.type} of ${found.items.type}` : found.type;
    };
    const table: [string, string, string][] = [
      ["api.core.v1.ResourceRequirements", "requests", "map of quantity"],
      ["api.core.v1.EmptyDirVolumeSource", "sizeLimit", "quantity"],
      ["api.core.v1.LimitRangeItem", "maxLimitRequestRatio", "map of quantity"],
      ["api.core.v1.NodeStatus", "allocatable", "map of quantity"],
      ["api.core.v1.ContainerStatus", "allocatedResources", "map of quantity"],
      ["api.core.v1.PodSpec", "overhead", "map of quantity"],
      ["api.autoscaling.v2.MetricTarget", "averageValue", "quantity"],
      ["api.resource.v1.Counter", "value", "quantity"],
      ["api.core.v1.ServicePort", "targetPort", "intOrString"],
      ["api.core.v1.Secret", "data", "map of bytes"],
      ["api.core.v1.PodSpec", "nodeSelector", "map of string"],
      ["api.coordination.v1.LeaseSpec", "renewTime", "microTime"],
      ["apimachinery.pkg.apis.meta.v1.ObjectMeta", "creationTimestamp", "time"],
      ["apimachinery.pkg.apis.meta.v1.ManagedFieldsEntry", "fieldsV1", "any"],
      ["api.apps.v1.ControllerRevision", "data", "any"],
      ["api.apps.v1.DeploymentSpec", "replicas", "integer"],
    ];
    for (const [type, name, expected] of table) assert.equal(kind(type, name), expected, name);
  });

  it("patches and server-side apply know how lists merge", () => {
    const marks = (type: string, name: string): string => {
      const { patchStrategy, patchMergeKey, listType, listMapKeys, mapType } = field(type, name);
      const parts = [patchStrategy, patchMergeKey, listType, listMapKeys, mapType];
      return parts.map((part) => String(part ?? "-")).join(" ");
    };
    const table: [string, string, string][] = [
      ["api.core.v1.PodSpec", "containers", "merge name map name -"],
      ["api.core.v1.PodSpec", "volumes", "merge,retainKeys name map name -"],
      ["api.core.v1.PodSpec", "tolerations", "- - atomic - -"],
      ["api.core.v1.PodSpec", "nodeSelector", "- - - - atomic"],
      ["api.core.v1.Container", "ports", "merge containerPort map containerPort,protocol -"],
      ["api.core.v1.Container", "env", "merge name map name -"],
      ["api.core.v1.ServiceSpec", "ports", "merge port map port,protocol -"],
      ["api.apps.v1.DeploymentSpec", "strategy", "retainKeys - - - -"],
      ["api.apps.v1.DeploymentSpec", "selector", "- - - - atomic"],
      ["api.policy.v1.PodDisruptionBudgetSpec", "selector", "replace - - - atomic"],
      ["apimachinery.pkg.apis.meta.v1.ObjectMeta", "finalizers", "merge - set - -"],
      ["apimachinery.pkg.apis.meta.v1.ObjectMeta", "ownerReferences", "merge uid map uid -"],
      ["api.core.v1.PersistentVolumeSpec", "claimRef", "- - - - granular"],
      ["api.rbac.v1.RoleBinding", "roleRef", "- - - - atomic"],
    ];
    for (const [type, name, expected] of table) assert.equal(marks(type, name), expected, name);
  });
});
