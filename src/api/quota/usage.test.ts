import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { V1Pod, V1ResourceQuotaSpec } from "../../gen/types.ts";
import { Pod } from "../core/pod.ts";
import { Secret } from "../core/secret.ts";
import { Service } from "../core/service.ts";
import type { KubeObject } from "../machinery/object.ts";
import { applies, counts, formatUsage, missingRequests, usageOf } from "./usage.ts";

const NOW = Date.UTC(2026, 0, 1);
const CLAIM = { group: "", plural: "persistentvolumeclaims" };
const DEPLOYMENT = { group: "apps", plural: "deployments" };

const resources = { requests: { cpu: "100m", memory: "64Mi" }, limits: { cpu: "1" } };
const pod = (extra: Partial<V1Pod> = {}, spec: object = {}): V1Pod => ({
  spec: {
    containers: [
      { name: "a", resources },
      { name: "b", resources },
    ],
    ...spec,
  },
  ...extra,
});
const service = (spec: object): KubeObject => ({ spec }) as KubeObject;
const ports = [{ port: 1 }, { port: 2, nodePort: 30000 }];

describe("usageOf", () => {
  const rows: readonly (readonly [
    string,
    { group: string; plural: string },
    KubeObject,
    string,
  ])[] = [
    [
      "a Pod",
      Pod,
      pod(),
      "count/pods=1,cpu=200m,limits.cpu=2,memory=128Mi,pods=1,requests.cpu=200m,requests.memory=128Mi",
    ],
    ["a Pod that has ended", Pod, pod({ status: { phase: "Failed" } }), "count/pods=1"],
    [
      "a Pod whose grace is over",
      Pod,
      pod({
        metadata: { deletionTimestamp: "2025-12-31T23:59:00Z", deletionGracePeriodSeconds: 30 },
      }),
      "count/pods=1",
    ],
    [
      "a Pod with something extended",
      Pod,
      {
        spec: { containers: [{ name: "c", resources: { requests: { "a.io/gpu": "2" } } }] },
      } as V1Pod,
      "count/pods=1,pods=1,requests.a.io/gpu=2",
    ],
    [
      "a Service",
      Service,
      service({ type: "ClusterIP", ports }),
      "count/services=1,services=1,services.loadbalancers=0,services.nodeports=0",
    ],
    [
      "one with node ports",
      Service,
      service({ type: "NodePort", ports }),
      "count/services=1,services=1,services.loadbalancers=0,services.nodeports=2",
    ],
    [
      "one that is balanced, without node ports but one",
      Service,
      service({ type: "LoadBalancer", allocateLoadBalancerNodePorts: false, ports }),
      "count/services=1,services=1,services.loadbalancers=1,services.nodeports=1",
    ],
    [
      "a claim",
      CLAIM,
      {
        spec: { storageClassName: "ssd", resources: { requests: { storage: "1Gi" } } },
      } as KubeObject,
      "count/persistentvolumeclaims=1,persistentvolumeclaims=1,requests.storage=1Gi," +
        "ssd.storageclass.storage.k8s.io/persistentvolumeclaims=1,ssd.storageclass.storage.k8s.io/requests.storage=1Gi",
    ],
    ["a Secret", Secret, {}, "count/secrets=1,secrets=1"],
    ["a Deployment", DEPLOYMENT, {}, "count/deployments.apps=1"],
  ];
  for (const [what, kind, object, wanted] of rows)
    it(what, () => assert.equal(formatUsage(usageOf(kind, object, NOW)), wanted));

  it("names only what its kind counts", () => {
    for (const [, kind, object] of rows)
      for (const name of usageOf(kind, object, NOW).keys()) assert.ok(counts(kind, name), name);
  });
});

describe("applies", () => {
  const rows: readonly (readonly [string, V1ResourceQuotaSpec, V1Pod, boolean])[] = [
    ["no scope", {}, pod(), true],
    ["Terminating", { scopes: ["Terminating"] }, pod({}, { activeDeadlineSeconds: 1 }), true],
    [
      "NotTerminating",
      { scopes: ["NotTerminating"] },
      pod({}, { activeDeadlineSeconds: 1 }),
      false,
    ],
    ["BestEffort", { scopes: ["BestEffort"] }, pod({}, { containers: [{ name: "a" }] }), true],
    [
      "NotBestEffort",
      { scopes: ["NotBestEffort"] },
      pod({}, { containers: [{ name: "a" }] }),
      false,
    ],
    ["a class", { scopes: ["PriorityClass"] }, pod({}, { priorityClassName: "x" }), true],
    ["no class", { scopes: ["PriorityClass"] }, pod(), false],
    ["one of the classes", classIn("In", "x"), pod({}, { priorityClassName: "x" }), true],
    ["none of the classes", classIn("NotIn", "x"), pod({}, { priorityClassName: "x" }), false],
    ["NotIn takes those without", classIn("NotIn", "x"), pod(), true],
    ["affinity to its own namespace", { scopes: ["CrossNamespacePodAffinity"] }, near({}), false],
    [
      "affinity to others",
      { scopes: ["CrossNamespacePodAffinity"] },
      near({ namespaceSelector: {} }),
      true,
    ],
  ];
  for (const [what, spec, object, wanted] of rows)
    it(what, () =>
      assert.equal(applies({ spec: { hard: { pods: "1" }, ...spec } }, Pod, object), wanted),
    );
  it("needs a name that the kind counts", () =>
    assert.equal(applies({ spec: { hard: { pods: "1" } } }, Secret, {}), false));
  it("has no scopes for other kinds", () => {
    const spec = { hard: { secrets: "1" }, scopes: ["BestEffort"] };
    assert.equal(applies({ spec }, Secret, {}), false);
  });
});

function classIn(operator: string, name: string): V1ResourceQuotaSpec {
  return {
    scopeSelector: { matchExpressions: [{ scopeName: "PriorityClass", operator, values: [name] }] },
  };
}

function near(term: object): V1Pod {
  const terms = [{ topologyKey: "zone", ...term }];
  return pod(
    {},
    { affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: terms } } },
  );
}

it("containers must name what is bounded", () => {
  const object = pod({}, { containers: [{ name: "b" }, { name: "a", resources }, { name: "c" }] });
  const hard = ["limits.cpu", "memory", "pods"];
  assert.equal(missingRequests(Pod, hard, object), "limits.cpu for: b,c; memory for: b,c");
  assert.equal(missingRequests(Secret, hard, {}), "");
});

describe("a Pod that asks as a whole", () => {
  const containers = [{ name: "a" }, { name: "b", resources }];
  const rows: readonly (readonly [string, object, string])[] = [
    ["nothing", {}, "cpu for: a; limits.memory for: a,b"],
    ["cpu", { requests: { cpu: "2" } }, ""],
    ["a limit of memory", { limits: { memory: "1Gi" } }, ""],
    ["what containers cannot share", { requests: { "example.com/gpu": "1" } }, "cpu for: a; limits.memory for: a,b"], // prettier-ignore
  ];
  for (const [what, whole, missing] of rows)
    it(`for ${what}: ${missing === "" ? "its containers need not" : "its containers must"}`, () => {
      const object = pod({}, { containers, resources: whole });
      assert.equal(missingRequests(Pod, ["cpu", "limits.memory"], object), missing);
    });

  it("is counted as a whole", () => {
    const object = pod({}, { containers, resources: { requests: { cpu: "2" }, limits: { cpu: "3" } } }); // prettier-ignore
    const usage = usageOf(Pod, object, NOW);
    assert.deepEqual(
      ["requests.cpu", "limits.cpu", "requests.memory"].map((name) =>
        formatUsage(new Map([[name, usage.get(name)!]])),
      ),
      ["requests.cpu=2", "limits.cpu=3", "requests.memory=64Mi"],
    );
  });
});
