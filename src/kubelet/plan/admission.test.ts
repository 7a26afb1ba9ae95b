import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { V1Node, V1Pod, V1PodSpec } from "../../gen/types.ts";
import type { Pressure } from "./eviction.ts";
import { rejectionOf } from "./admission.ts";

const ALLOCATABLE = { cpu: "2", memory: "1Gi", "ephemeral-storage": "10Gi", pods: "3" };
const NODE: V1Node = {
  metadata: { name: "n", labels: { zone: "a" } },
  spec: { taints: [{ key: "broken", effect: "NoExecute" }] },
};
const TOLERATIONS = [{ operator: "Exists" }];

function pod(spec: Partial<V1PodSpec> = {}, resources: Record<string, string> = {}): V1Pod {
  const container = { name: "c", image: "i", resources: { requests: resources } };
  return { metadata: {}, spec: { containers: [container], tolerations: TOLERATIONS, ...spec } };
}

const onPort = (hostPort: number): V1Pod =>
  pod({ containers: [{ name: "c", image: "i", ports: [{ containerPort: 80, hostPort }] }] });

describe("rejectionOf", () => {
  //  name                            pod                                   active                reason, and what the message says
  const rows: readonly [string, V1Pod, readonly V1Pod[], string][] = [
    ["fits", pod({}, { cpu: "1" }), [pod({}, { cpu: "1" })], ""],
    [
      "too much cpu",
      pod({}, { cpu: "1500m" }),
      [pod({}, { cpu: "1" })],
      "OutOfcpu Node didn't have enough resource: cpu, requested: 1500, used: 1000, capacity: 2000",
    ],
    [
      "too much memory",
      pod({}, { memory: "2Gi" }),
      [],
      "OutOfmemory Node didn't have enough resource: memory, requested: 2147483648, used: 0, capacity: 1073741824",
    ],
    [
      "too many pods",
      pod(),
      [pod(), pod(), pod()],
      "OutOfpods Node didn't have enough resource: pods, requested: 1, used: 3, capacity: 3",
    ],
    ["a resource that no node has", pod({}, { "example.com/gpu": "1" }), [], ""],
    [
      "selector of another node",
      pod({ nodeSelector: { zone: "b" } }),
      [],
      "NodeAffinity Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector",
    ],
    [
      "a port that is held",
      onPort(80),
      [onPort(80)],
      "NodePorts Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports",
    ],
    [
      "groups that the runtime cannot keep out",
      pod({ securityContext: { supplementalGroupsPolicy: "Strict" } }),
      [],
      "SupplementalGroupsPolicyNotSupported SupplementalGroupsPolicy=Strict is not supported in this node",
    ],
    ["another port", onPort(81), [onPort(80)], ""],
    [
      "a taint that would evict it",
      pod({ tolerations: [] }),
      [],
      "TaintToleration Predicate TaintToleration failed: node(s) had taints that the pod didn't tolerate",
    ],
    [
      "another system",
      pod({ os: { name: "windows" } }),
      [],
      "PodOSNotSupported Failed to admit pod as the OS field doesn't match node OS",
    ],
  ];
  for (const [name, wanted, active, expected] of rows)
    it(`${name}: ${expected.split(" ")[0] || "admitted"}`, () => {
      const found = rejectionOf(wanted, active, NODE, ALLOCATABLE, new Set());
      assert.equal(found ? `${found.reason} ${found.message}` : "", expected);
    });

  const memory = { key: "node.kubernetes.io/memory-pressure", operator: "Exists" };
  //  pod                                             pressures                         admitted
  const pressed: readonly [string, V1Pod, readonly Pressure[], boolean][] = [
    ["best effort", pod({ tolerations: [] }), ["MemoryPressure"], false],
    ["best effort that tolerates", pod({ tolerations: [memory] }), ["MemoryPressure"], true],
    ["burstable", pod({}, { cpu: "1" }), ["MemoryPressure"], true],
    ["burstable", pod({}, { cpu: "1" }), ["DiskPressure"], false],
    ["critical", pod({ priority: 2_000_001_000 }), ["DiskPressure"], true],
  ];
  for (const [name, wanted, pressures, isAdmitted] of pressed)
    it(`${pressures.join()}: ${name} ${isAdmitted ? "is admitted" : "is not"}`, () => {
      const node = { metadata: { name: "n" } };
      const found = rejectionOf(wanted, [], node, ALLOCATABLE, new Set(pressures));
      const expected = {
        reason: "Evicted",
        message: `The node had condition: [${pressures[0]}]. `,
      };
      assert.deepEqual(found, isAdmitted ? undefined : expected);
    });
});
