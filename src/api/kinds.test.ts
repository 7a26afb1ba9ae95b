import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { configMap, namespace, node, secret } from "../../test/support/builders.ts";
import { errorLines } from "../../test/support/field-errors.ts";
import type { V1ReplicationControllerSpec } from "../gen/types.ts";
import { controllerRevisionResource } from "./apps/controller-revision.ts";
import { localSubjectAccessReviewResource } from "./authorization/local-subject-access-review.ts";
import { subjectAccessReviewResource } from "./authorization/subject-access-review.ts";
import { catalog } from "./catalog.ts";
import { leaseResource } from "./coordination/lease.ts";
import { configMapResource } from "./core/config-map.ts";
import { endpointsResource } from "./core/endpoints.ts";
import { eventResource } from "./core/event.ts";
import { namespaceResource } from "./core/namespace.ts";
import { nodeResource } from "./core/node.ts";
import { podTemplateResource } from "./core/pod-template.ts";
import {
  replicationControllerResource,
  type ReplicationController,
} from "./core/replication-controller.ts";
import { secretResource } from "./core/secret.ts";
import { endpointSliceResource } from "./discovery/endpoint-slice.ts";
import { eventsEventResource } from "./events/event.ts";
import type { KubeObject } from "./machinery/object.ts";
import type { Resource } from "./machinery/resource.ts";
import { clusterRoleBindingResource } from "./rbac/cluster-role-binding.ts";
import { clusterRoleResource } from "./rbac/cluster-role.ts";
import { roleBindingResource } from "./rbac/role-binding.ts";
import { roleResource } from "./rbac/role.ts";

const NOW = { now: 0, user: "u" };

/** One object of a kind, and what is wrong with it. */
function row<T extends KubeObject>(
  resource: Resource<T>,
  what: string,
  object: T,
  ...expected: string[]
): void {
  it(`${resource.kind.kind}: ${what}`, () => {
    const { strategy } = resource;
    assert.deepEqual(errorLines(strategy.validate(strategy.withDefaults(object))), expected);
  });
}

function updateRow<T extends KubeObject>(
  resource: Resource<T>,
  what: string,
  old: T,
  object: T,
  ...expected: string[]
): void {
  it(`${resource.kind.kind}: ${what}`, () => {
    const { withDefaults, validateUpdate } = resource.strategy;
    assert.deepEqual(errorLines(validateUpdate(withDefaults(object), withDefaults(old))), expected);
  });
}

const big = "x".repeat(1024 * 1024 + 1);
const SEALED = "field is immutable when `immutable` is set";

const template = {
  metadata: { labels: { app: "x" } },
  spec: { containers: [{ name: "c", image: "i" }] },
};
const keeper = (spec: Partial<V1ReplicationControllerSpec>): ReplicationController => ({
  metadata: { name: "rc", namespace: "default" },
  spec: { template, ...spec },
});

describe("a ReplicationController", () => {
  const { withDefaults } = replicationControllerResource.strategy;

  it("takes selector and labels from its template, and wants one Pod", () => {
    const { metadata, spec } = withDefaults(keeper({}));
    assert.deepEqual(metadata?.labels, { app: "x" });
    assert.deepEqual([spec?.selector, spec?.replicas], [{ app: "x" }, 1]);
    assert.equal(spec?.template?.spec?.restartPolicy, "Always");
  });

  it("keeps the selector and the labels that it has", () => {
    const given = keeper({ selector: { app: "x" } });
    const labeled = { ...given, metadata: { ...given.metadata, labels: { own: "1" } } };
    assert.deepEqual(withDefaults(labeled).metadata?.labels, { own: "1" });
  });

  it("warns of a name that makes no host names, when it is new", () => {
    const dotted = { ...keeper({}), metadata: { name: "a.b" } };
    const { warnings } = replicationControllerResource.strategy;
    assert.match(warnings!(dotted, undefined)[0]!, /^metadata\.name: this is used in Pod names/);
    assert.deepEqual(warnings!(dotted, dotted), []);
  });
});

describe("a PodTemplate", () => {
  it("counts the generations of its template", () => {
    const { prepareForCreate, prepareForUpdate } = podTemplateResource.strategy;
    const first = prepareForCreate({ metadata: { name: "t" }, template }, NOW);
    assert.equal(first.metadata?.generation, 1);
    assert.equal(prepareForUpdate({ ...first }, first, NOW).metadata?.generation, 1);
    const changed = { ...first, template: { metadata: { labels: { app: "y" } } } };
    assert.equal(prepareForUpdate(changed, first, NOW).metadata?.generation, 2);
  });
});

describe("what each kind refuses", () => {
  row(
    podTemplateResource,
    "without containers",
    { metadata: { name: "t" }, template: { spec: { containers: [] } } },
    "template.spec.containers Required",
  );
  row(
    replicationControllerResource,
    "with nothing",
    { metadata: { name: "rc" }, spec: {} },
    "spec.selector Required",
    "spec.template Required",
  );
  row(
    replicationControllerResource,
    "whose selector misses its template",
    keeper({ replicas: -1, selector: { app: "y" } }),
    "spec.replicas Invalid: must be greater than or equal to 0",
    "spec.template.metadata.labels Invalid: `selector` does not match template `labels`",
  );
  row(
    replicationControllerResource,
    "whose Pods end",
    keeper({
      template: {
        ...template,
        spec: { ...template.spec, restartPolicy: "Never", activeDeadlineSeconds: 5 },
      },
    }),
    'spec.template.spec.restartPolicy NotSupported: supported values: "Always"',
    "spec.template.spec.activeDeadlineSeconds Forbidden: activeDeadlineSeconds in ReplicationController is not Supported",
  );
  row(configMapResource, "plain", configMap("c", { data: { "a.b": "c" } }));
  row(
    configMapResource,
    "a key in both parts",
    configMap("c", { data: { k: "" }, binaryData: { k: "" } }),
    "data[k] Invalid: duplicate of key present in binaryData",
  );
  row(
    configMapResource,
    "too big",
    configMap("c", { data: { k: big } }),
    " TooLong: may not be more than 1048576 bytes",
  );
  updateRow(
    configMapResource,
    "sealed",
    configMap("c", { immutable: true, data: { a: "1" } }),
    configMap("c", { data: { a: "2" } }),
    `immutable Forbidden: ${SEALED}`,
    `data Forbidden: ${SEALED}`,
  );
  row(secretResource, "plain", secret("s", { stringData: { a: "b" } }));
  row(
    secretResource,
    "TLS without key",
    secret("s", { type: "kubernetes.io/tls", data: { "tls.crt": "" } }),
    "data[tls.key] Required",
  );
  row(
    secretResource,
    "credentials that are no JSON",
    secret("s", { type: "kubernetes.io/dockerconfigjson", stringData: { ".dockerconfigjson": "{" } }), // prettier-ignore
    "data[.dockerconfigjson] Invalid: invalid JSON",
  );
  updateRow(
    secretResource,
    "another type",
    secret("s"),
    secret("s", { type: "x" }),
    "type Invalid: field is immutable",
  );
  row(nodeResource, "plain", node());
  row(
    nodeResource,
    "a wrong taint",
    node("n", { spec: { taints: [{ key: "a", effect: "Go" }] } }),
    'metadata.taints[0].effect NotSupported: supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"',
  );
  updateRow(
    nodeResource,
    "another range",
    node("n", { spec: { podCIDRs: ["10.0.0.0/24"] } }),
    node("n", { spec: { podCIDRs: ["10.0.1.0/24"] } }),
    'spec.podCIDRs Forbidden: node updates may not change podCIDR except from "" to valid',
  );
  row(
    endpointsResource,
    "no address",
    { subsets: [{ ports: [{ port: 1 }] }] },
    "subsets[0] Required: must specify `addresses` or `notReadyAddresses`",
  );
  row(
    endpointSliceResource,
    "of the wrong family",
    { addressType: "IPv4", endpoints: [{ addresses: ["::1"] }] },
    "endpoints[0].addresses[0] Invalid: must be a valid IPv4 address",
  );
  row(
    endpointSliceResource,
    "hints for the same zone or node twice",
    {
      addressType: "IPv4",
      endpoints: [
        {
          addresses: ["10.0.0.1"],
          hints: {
            forZones: [{ name: "z" }, { name: "z" }],
            forNodes: [{ name: "n" }, { name: "n" }],
          },
        },
      ],
    },
    "endpoints[0].hints.forZones[1].name Duplicate z",
    "endpoints[0].hints.forNodes[1].name Duplicate n",
  );
  row(
    roleResource,
    "URLs in a namespace",
    { rules: [{ verbs: [], nonResourceURLs: ["/x"] }] },
    "rules[0].verbs Required: verbs must contain at least one value",
    "rules[0].nonResourceURLs Invalid: namespaced rules cannot apply to non-resource URLs",
  );
  row(
    clusterRoleResource,
    "nothing to aggregate",
    { aggregationRule: {} },
    "aggregationRule.clusterRoleSelectors Required: at least one clusterRoleSelector required if aggregationRule is non-nil",
  );
  row(
    roleBindingResource,
    "an unknown subject",
    { roleRef: { kind: "Role", name: "r" }, subjects: [{ kind: "Dog", name: "d" }] },
    'subjects[0].kind NotSupported: supported values: "ServiceAccount", "User", "Group"',
  );
  row(
    clusterRoleBindingResource,
    "an account without namespace",
    { roleRef: { kind: "ClusterRole", name: "r" }, subjects: [{ kind: "ServiceAccount", name: "d" }] }, // prettier-ignore
    "subjects[0].namespace Required",
  );
  updateRow(
    roleBindingResource,
    "another role",
    { roleRef: { kind: "Role", name: "a" } },
    { roleRef: { kind: "Role", name: "b" } },
    "roleRef Invalid: cannot change roleRef",
  );
  row(
    leaseResource,
    "no time",
    { spec: { leaseDurationSeconds: 0 } },
    "spec.leaseDurationSeconds Invalid: must be greater than 0",
  );
  row(controllerRevisionResource, "no data", { revision: 1 }, "data Required: data is mandatory");
  row(
    eventResource,
    "of another namespace",
    { metadata: { namespace: "a" }, involvedObject: { namespace: "b" } },
    "involvedObject.namespace Invalid: does not match event.namespace",
  );
  row(
    eventsEventResource,
    "in the old style",
    { metadata: { namespace: "default" }, eventTime: "", type: "Normal", deprecatedCount: 2 },
    "eventTime Required",
    "count Invalid: needs to be unset",
  );
  row(
    subjectAccessReviewResource,
    "about nobody and nothing",
    { spec: {} },
    "spec.resourceAttributes Invalid: exactly one of nonResourceAttributes or resourceAttributes must be specified",
    "spec.user Invalid: at least one of user or group must be specified",
  );
  row(
    localSubjectAccessReviewResource,
    "about another namespace",
    { metadata: { namespace: "a" }, spec: { user: "u", resourceAttributes: { namespace: "b" } } },
    "spec.resourceAttributes.namespace Invalid: must match metadata.namespace",
  );
});

describe("Namespace", () => {
  const { strategy, subresources } = namespaceResource;

  it("is born active, named by a label, with its finalizer", () => {
    const created = strategy.prepareForCreate(
      strategy.withDefaults({ metadata: { name: "a" } }),
      NOW,
    );
    assert.deepEqual(created, {
      metadata: { name: "a", labels: { "kubernetes.io/metadata.name": "a" } },
      spec: { finalizers: ["kubernetes"] },
      status: { phase: "Active" },
    });
  });

  it("keeps its finalizers in an update", () => {
    const updated = strategy.prepareForUpdate({ metadata: { name: "a" } }, namespace("a"), NOW);
    assert.deepEqual(updated.spec, { finalizers: ["kubernetes"] });
  });

  it("is Terminating only while it is deleted", () => {
    const wrong = { ...namespace(), status: { phase: "Terminating" } };
    assert.deepEqual(errorLines(subresources!.status!.validateUpdate(wrong, namespace())), [
      "status.Phase Invalid: may only be 'Active' if `deletionTimestamp` is empty",
    ]);
  });
});

describe("Event in both groups", () => {
  const { storedAs } = eventsEventResource;
  const stored = {
    apiVersion: "v1",
    kind: "Event",
    metadata: { name: "e", namespace: "default" },
    involvedObject: { kind: "Pod", name: "p" },
    message: "text",
    source: { component: "kubelet" },
    count: 3,
    eventTime: "2026-01-01T00:00:00.000000Z",
  };

  it("is one object under two names of its fields", () => {
    const face = storedAs!.fromStored(stored);
    assert.deepEqual(face, {
      apiVersion: "events.k8s.io/v1",
      kind: "Event",
      metadata: stored.metadata,
      regarding: stored.involvedObject,
      note: "text",
      deprecatedSource: stored.source,
      deprecatedCount: 3,
      eventTime: stored.eventTime,
    });
    assert.deepEqual(storedAs!.toStored(face), stored);
  });

  it("shows the same columns", () => {
    const shown = (resource: Resource<never>, event: KubeObject): unknown[] =>
      resource.columns.map((column) => column.cell(event as never, NOW.now));
    const face = storedAs!.fromStored(stored);
    assert.deepEqual(
      shown(eventsEventResource as unknown as Resource<never>, face),
      shown(eventResource as unknown as Resource<never>, stored),
    );
  });
});

describe("every kind", () => {
  it("survives an object of which nothing is known", () => {
    for (const { strategy, kind, subresources } of catalog) {
      const bare: KubeObject = { metadata: { name: "x", namespace: "default" } };
      const created = strategy.prepareForCreate(strategy.withDefaults(bare), NOW);
      assert.doesNotThrow(() => strategy.validate(created), kind.kind);
      const updated = strategy.prepareForUpdate(strategy.withDefaults(bare), created, NOW);
      assert.doesNotThrow(() => strategy.validateUpdate(updated, created), kind.kind);
      subresources?.status?.prepareForUpdate(updated, created, NOW);
    }
  });

  it("fills in defaults once, and leaves what it is given alone", () => {
    for (const { strategy, kind } of catalog) {
      const bare: KubeObject = Object.freeze({ metadata: Object.freeze({ name: "x" }) });
      const once = strategy.withDefaults(bare);
      assert.deepEqual(strategy.withDefaults(once), once, kind.kind);
    }
  });
});
