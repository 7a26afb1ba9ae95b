import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { V1Container, V1Pod, V1PodSpec } from "../../gen/types.ts";
import { milliOf, wholeOf } from "./amount.ts";
import { dnsOf } from "./dns.ts";
import { hostnameOf, hostsFile } from "./hosts-file.ts";
import { shouldRestart } from "./pod-spec.ts";
import { oomScoreOf, qosClassOf } from "./qos.ts";
import { podCgroupOf, resourcesOf, weightOf } from "./resources.ts";
import { securityOf } from "./security.ts";

const GI = 2 ** 30;
const pod = (spec: Partial<V1PodSpec> = {}): V1Pod => ({
  metadata: { name: "p", namespace: "ns", uid: "u" },
  spec: { containers: [{ name: "c", image: "i" }], ...spec },
});
const container = (requests: object, limits: object = {}): V1Container => ({
  name: "c",
  image: "i",
  resources: { requests: requests as never, limits: limits as never },
});

describe("amounts", () => {
  for (const [text, milli] of [
    ["100m", 100],
    ["0.1", 100],
    ["1.5", 1500],
    ["1e3", 1_000_000],
    ["2k", 2_000_000],
  ] as const)
    it(`${text} is ${milli} thousandths`, () => assert.equal(milliOf(text), milli));
  it("bytes", () => assert.equal(wholeOf("1.5Gi"), 1.5 * GI));
});

describe("qosClassOf", () => {
  const cases: readonly [string, V1Container[], string][] = [
    ["nothing asked", [container({})], "BestEffort"],
    ["a request", [container({ cpu: "1" })], "Burstable"],
    ["limits alone", [container({}, { cpu: "1", memory: "1Gi" })], "Guaranteed"],
    [
      "limits above requests",
      [container({ cpu: "1", memory: "1Gi" }, { cpu: "2", memory: "1Gi" })],
      "Burstable",
    ],
    [
      "one of two without",
      [container({}, { cpu: "1", memory: "1Gi" }), container({})],
      "Burstable",
    ],
  ];
  for (const [name, containers, expected] of cases)
    it(`${name}: ${expected}`, () => assert.equal(qosClassOf(pod({ containers })), expected));
});

describe("oomScoreOf", () => {
  const score = (one: V1Container): number => oomScoreOf(pod({ containers: [one] }), one, 4 * GI);
  it("best effort goes first", () => assert.equal(score(container({})), 1000));
  it("guaranteed last", () =>
    assert.equal(score(container({}, { cpu: "1", memory: "1Gi" })), -997));
  it("burstable by its request", () => assert.equal(score(container({ memory: "1Gi" })), 750));
});

describe("resourcesOf", () => {
  const of = (one: V1Container) => resourcesOf(pod({ containers: [one] }), one, 4 * GI);
  it("shares and quota", () => {
    const { cpuShares, cpuQuota, cpuPeriod, memoryLimitInBytes } = of(
      container({ cpu: "250m" }, { cpu: "500m", memory: "64Mi" }),
    );
    assert.deepEqual(
      [cpuShares, cpuQuota, cpuPeriod, memoryLimitInBytes],
      [256, 50_000, 100_000, 64 * 2 ** 20],
    );
  });
  it("nothing asked: least shares, no quota", () => {
    const { cpuShares, cpuQuota } = of(container({}));
    assert.deepEqual([cpuShares, cpuQuota], [2, 0]);
  });
});

describe("podCgroupOf", () => {
  const cases: readonly [string, readonly V1Container[], object][] = [
    ["best effort", [container({})], { cpuShares: 2 }],
    [
      "all limited",
      [
        container({ cpu: "100m" }, { cpu: "200m", memory: "1Gi" }),
        container({}, { cpu: "1", memory: "1Gi" }),
      ],
      { cpuShares: 102, cpuQuota: 120_000, memoryBytes: 2 * GI },
    ],
    [
      "one without a memory limit",
      [container({ cpu: "1" }, { cpu: "1", memory: "1Gi" }), container({ cpu: "1" }, { cpu: "1" })],
      { cpuShares: 2048, cpuQuota: 200_000 },
    ],
  ];
  for (const [name, containers, expected] of cases)
    it(name, () => assert.deepEqual(podCgroupOf(pod({ containers: [...containers] })), expected));
  it("turns the least and the most shares into the least and the most weight", () =>
    assert.deepEqual([2, 262_144].map(weightOf), [1, 10_000]));
});

describe("dnsOf", () => {
  const host = { servers: ["9.9.9.9"], searches: ["corp"], options: ["timeout:1"] };
  const settings = { clusterServers: ["10.96.0.10"], clusterDomain: "cluster.local", host };
  const cluster = ["ns.svc.cluster.local", "svc.cluster.local", "cluster.local", "corp"];
  it("ClusterFirst", () => {
    assert.deepEqual(dnsOf(pod(), settings), {
      servers: ["10.96.0.10"],
      searches: cluster,
      options: ["ndots:5"],
    });
  });
  it("ClusterFirst in the node's network is the node's", () =>
    assert.deepEqual(dnsOf(pod({ hostNetwork: true }), settings), host));
  it("ClusterFirstWithHostNet is the cluster's there too", () => {
    const spec = { hostNetwork: true, dnsPolicy: "ClusterFirstWithHostNet" };
    assert.deepEqual(dnsOf(pod(spec), settings).searches, cluster);
  });
  it("own entries are added, own options win", () => {
    const dnsConfig = {
      nameservers: ["1.1.1.1", "10.96.0.10"],
      searches: ["my"],
      options: [{ name: "ndots", value: "2" }, { name: "edns0" }],
    };
    assert.deepEqual(dnsOf(pod({ dnsConfig }), settings), {
      servers: ["10.96.0.10", "1.1.1.1"],
      searches: [...cluster, "my"],
      options: ["ndots:2", "edns0"],
    });
  });
});

describe("hostsFile", () => {
  it("names the Pod and its aliases", () => {
    const given = pod({
      hostname: "web",
      subdomain: "sub",
      hostAliases: [{ ip: "1.2.3.4", hostnames: ["a", "b"] }],
    });
    const text = hostsFile(given, ["10.0.0.1"], hostnameOf(given, "cluster.local"), "");
    assert.match(text, /^# Kubernetes-managed hosts file\.\n127\.0\.0\.1\tlocalhost\n/);
    assert.match(text, /\n10\.0\.0\.1\tweb\.sub\.ns\.svc\.cluster\.local\tweb\n/);
    assert.match(text, /\n# Entries added by HostAliases\.\n1\.2\.3\.4\ta\tb\n$/);
  });
});

describe("securityOf", () => {
  const of = (securityContext: V1Container["securityContext"] & object, image = {}) =>
    securityOf(
      pod(),
      { name: "c", image: "i", securityContext },
      { username: "", ...image },
      "/state",
    );
  const where = '(pod: "p_ns(u)", container: c)';
  it("must not run as root and would", () => {
    assert.throws(() => of({ runAsNonRoot: true, runAsUser: 0 }), {
      message: `container's runAsUser breaks non-root policy ${where}`,
    });
    assert.throws(() => of({ runAsNonRoot: true }), {
      message: `container has runAsNonRoot and image will run as root ${where}`,
    });
    assert.throws(() => of({ runAsNonRoot: true }, { username: "web" }), {
      message: `container has runAsNonRoot and image has non-numeric user (web), cannot verify user is non-root ${where}`,
    });
  });
  it("a numeric user of the image is fine", () =>
    assert.deepEqual(of({ runAsNonRoot: true }, { uid: { value: 7 } }).runAsUser, { value: 7 }));
  it("no escalation means no new privileges", () =>
    assert.equal(of({ allowPrivilegeEscalation: false }).noNewPrivs, true));
});

describe("shouldRestart", () => {
  const rules = [{ action: "Restart", exitCodes: { operator: "In", values: [42] } }];
  const cases: readonly [string, Partial<V1Container>, number, boolean][] = [
    ["Always", {}, 0, true],
    ["OnFailure", {}, 0, false],
    ["OnFailure", {}, 1, true],
    ["Never", {}, 1, false],
    ["Never", { restartPolicy: "Always" }, 1, true],
    ["Never", { restartPolicy: "Never", restartPolicyRules: rules }, 42, true],
  ];
  for (const [policy, own, code, expected] of cases)
    it(`${policy} ${JSON.stringify(own)} after ${code}: ${expected}`, () => {
      const one = { name: "c", image: "i", ...own };
      assert.equal(
        shouldRestart(pod({ restartPolicy: policy, containers: [one] }), one, code),
        expected,
      );
    });
});
