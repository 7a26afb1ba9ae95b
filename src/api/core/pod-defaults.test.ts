import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { pod } from "../../../test/support/builders.ts";
import type { V1Container, V1PodSpec, V1Volume } from "../../gen/types.ts";
import { pullPolicyOf } from "./container-defaults.ts";
import { withPodDefaults, withPodSpecDefaults } from "./pod-defaults.ts";

const container = (parts: Partial<V1Container>): V1Container => {
  const spec: V1PodSpec = { containers: [{ name: "app", image: "app:1", ...parts }] };
  return withPodDefaults(pod("p", { spec })).spec!.containers[0]!;
};

const volume = (parts: Partial<V1Volume>): V1Volume =>
  withPodDefaults(pod("p", { spec: { volumes: [{ name: "v", ...parts }] } })).spec!.volumes![0]!;

describe("withPodDefaults", () => {
  it("fills the spec as upstream does", () => {
    const { containers, ...spec } = withPodDefaults(pod()).spec!;
    assert.deepEqual(spec, {
      dnsPolicy: "ClusterFirst",
      enableServiceLinks: true,
      restartPolicy: "Always",
      schedulerName: "default-scheduler",
      securityContext: {},
      terminationGracePeriodSeconds: 30,
    });
    assert.deepEqual(containers, [
      {
        name: "app",
        image: "app:1",
        imagePullPolicy: "IfNotPresent",
        resources: {},
        terminationMessagePath: "/dev/termination-log",
        terminationMessagePolicy: "File",
      },
    ]);
  });

  it("changes nothing the second time", () => {
    const probe = { httpGet: { port: 80 }, periodSeconds: 3 };
    const containers = [{ name: "app", livenessProbe: probe, ports: [{ containerPort: 1 }] }];
    const once = withPodDefaults(
      pod("p", { spec: { containers, hostNetwork: true, volumes: [{ name: "v" }] } }),
    );
    assert.equal(withPodDefaults(once), once);
  });

  it("leaves its argument alone", () => {
    const before = pod("p", { spec: { serviceAccount: "x" } });
    const copy = structuredClone(before);
    withPodDefaults(before);
    assert.deepEqual(before, copy);
  });

  it("gives templates no service links, no requests out of limits and no host ports", () => {
    const ports = [{ containerPort: 80 }];
    const containers = [{ name: "app", ports, resources: { limits: { cpu: "1" } } }];
    const spec = withPodSpecDefaults({ containers, hostNetwork: true });
    assert.equal(spec.enableServiceLinks, undefined);
    assert.equal(spec.containers[0]!.resources!.requests, undefined);
    assert.deepEqual(spec.containers[0]!.ports, [{ containerPort: 80, protocol: "TCP" }]);
  });

  it("makes host ports of ports in the node's network", () => {
    const containers = [{ name: "app", ports: [{ containerPort: 80 }] }];
    const spec = withPodDefaults(pod("p", { spec: { containers, hostNetwork: true } })).spec!;
    assert.deepEqual(spec.containers[0]!.ports, [
      { containerPort: 80, hostPort: 80, protocol: "TCP" },
    ]);
  });

  it("serves the service account under both names", () => {
    for (const spec of [{ serviceAccount: "x" }, { serviceAccountName: "x" }]) {
      const { serviceAccount, serviceAccountName } = withPodDefaults(pod("p", { spec })).spec!;
      assert.deepEqual([serviceAccount, serviceAccountName], ["x", "x"]);
    }
  });

  it("requests what is limited, unless requests say otherwise", () => {
    const resources = { limits: { cpu: "1", memory: "1Gi" }, requests: { cpu: "100m" } };
    assert.deepEqual(container({ resources }).resources!.requests, {
      cpu: "100m",
      memory: "1Gi",
    });
  });

  it("completes probes and hooks", () => {
    const { livenessProbe, lifecycle } = container({
      livenessProbe: { httpGet: { port: 80 }, periodSeconds: 0 },
      lifecycle: { preStop: { httpGet: { port: 80 } } },
    });
    const httpGet = { port: 80, path: "/", scheme: "HTTP" };
    const counts = {
      timeoutSeconds: 1,
      periodSeconds: 10,
      successThreshold: 1,
      failureThreshold: 3,
    };
    assert.deepEqual(livenessProbe, { httpGet, ...counts });
    assert.deepEqual(lifecycle, { preStop: { httpGet } });
  });

  it("completes references of the environment", () => {
    const env = [
      { name: "A", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
      { name: "B", valueFrom: { resourceFieldRef: { resource: "limits.cpu" } } },
    ];
    assert.deepEqual(container({ env }).env, [
      { name: "A", valueFrom: { fieldRef: { fieldPath: "metadata.name", apiVersion: "v1" } } },
      { name: "B", valueFrom: { resourceFieldRef: { resource: "limits.cpu", divisor: "0" } } },
    ]);
  });

  it("completes volumes by their source", () => {
    const rows: [Partial<V1Volume>, Partial<V1Volume>][] = [
      [{}, { emptyDir: {} }],
      [{ secret: { secretName: "s" } }, { secret: { secretName: "s", defaultMode: 420 } }],
      [{ configMap: { name: "c" } }, { configMap: { name: "c", defaultMode: 420 } }],
      [{ hostPath: { path: "/x" } }, { hostPath: { path: "/x", type: "" } }],
      [
        { projected: { sources: [{ serviceAccountToken: { path: "t" } }] } },
        {
          projected: {
            sources: [{ serviceAccountToken: { path: "t", expirationSeconds: 3600 } }],
            defaultMode: 420,
          },
        },
      ],
    ];
    for (const [given, expected] of rows)
      assert.deepEqual(volume(given), { name: "v", ...expected });
  });
});

describe("pullPolicyOf", () => {
  const rows: [string, string][] = [
    ["nginx", "Always"],
    ["nginx:latest", "Always"],
    ["nginx:1", "IfNotPresent"],
    ["host:5000/nginx", "Always"],
    ["host:5000/nginx:1", "IfNotPresent"],
    [`nginx@sha256:${"0".repeat(64)}`, "IfNotPresent"],
    [`nginx:latest@sha256:${"0".repeat(64)}`, "Always"],
    ["", "IfNotPresent"],
  ];
  for (const [image, policy] of rows)
    it(`${image || "no image"} → ${policy}`, () => assert.equal(pullPolicyOf(image), policy));
});
