import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Deployment } from "../../../api/apps/deployment.ts";
import { Namespace } from "../../../api/core/namespace.ts";
import { Pod } from "../../../api/core/pod.ts";
import type { V1Container, V1PodSpec } from "../../../gen/types.ts";
import { admissionCall, type CallOptions } from "../../../../test/support/admission-call.ts";
import { StaticCache } from "../../../../test/support/static-cache.ts";
import { violations } from "./evaluate.ts";
import { formatLevel, readPolicy } from "./policy.ts";
import { PodSecurity } from "./pod-security.ts";

const spec = (container: Partial<V1Container> = {}, rest: Partial<V1PodSpec> = {}): V1PodSpec => ({
  containers: [{ name: "c", ...container }],
  ...rest,
});

const found = (pod: V1PodSpec, level: "baseline" | "restricted", minor = Infinity): string =>
  violations({ spec: pod }, { level, minor })
    .map(({ reason, detail }) => `${reason} (${detail})`)
    .join(", ");

const hardened = { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } };
const good = spec(
  { securityContext: hardened },
  { securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } } },
);

describe("baseline", () => {
  const secured = (securityContext: V1Container["securityContext"]) =>
    spec({ securityContext: securityContext! });
  const rows: readonly (readonly [V1PodSpec, string])[] = [
    [spec(), ""],
    [good, ""],
    [
      secured({ privileged: true }),
      `privileged (container "c" must not set securityContext.privileged=true)`,
    ],
    [
      spec({}, { hostNetwork: true, hostPID: true }),
      "host namespaces (hostNetwork=true, hostPID=true)",
    ],
    [
      spec(
        {},
        {
          volumes: [
            { name: "a", hostPath: { path: "/" } },
            { name: "b", hostPath: { path: "/" } },
          ],
        },
      ),
      `hostPath volumes (volumes "a", "b")`,
    ],
    [
      spec({ ports: [{ containerPort: 1, hostPort: 80 }] }),
      `hostPort (container "c" uses hostPort 80)`,
    ],
    [
      secured({ capabilities: { add: ["NET_ADMIN", "CHOWN"] } }),
      `non-default capabilities (container "c" must not include "NET_ADMIN" in securityContext.capabilities.add)`,
    ],
    [
      secured({ procMount: "Unmasked" }),
      `procMount (container "c" must not set securityContext.procMount to "Unmasked")`,
    ],
    [
      secured({ seccompProfile: { type: "Unconfined" } }),
      `seccompProfile (container "c" must not set securityContext.seccompProfile.type to "Unconfined")`,
    ],
    [
      secured({ appArmorProfile: { type: "Unconfined" } }),
      `forbidden AppArmor profile (container "c" must not set AppArmor profile type to "Unconfined")`,
    ],
    [
      secured({ seLinuxOptions: { type: "x_t", user: "u" } }),
      `seLinuxOptions (container "c" set forbidden securityContext.seLinuxOptions: type "x_t"; user may not be set)`,
    ],
    [
      spec({}, { securityContext: { sysctls: [{ name: "kernel.msgmax", value: "1" }] } }),
      "forbidden sysctls (kernel.msgmax)",
    ],
    [
      spec({}, { securityContext: { windowsOptions: { hostProcess: true } } }),
      "hostProcess (pod must not set securityContext.windowsOptions.hostProcess=true)",
    ],
    [
      spec({ livenessProbe: { httpGet: { port: 80, host: "10.0.0.1" } } }),
      `probe or lifecycle host (container "c" uses probe or lifecycle host "10.0.0.1")`,
    ],
  ];
  for (const [pod, expected] of rows)
    it(expected || "nothing", () => assert.equal(found(pod, "baseline"), expected));
  it("follows the version that is asked for", () => {
    const tcp = spec(
      {},
      { securityContext: { sysctls: [{ name: "net.ipv4.tcp_rmem", value: "1" }] } },
    );
    assert.equal(found(tcp, "baseline", 31), "forbidden sysctls (net.ipv4.tcp_rmem)");
    assert.equal(found(tcp, "baseline", 32), "");
  });
});

describe("restricted", () => {
  it("names all that a plain Pod lacks, in upstream's words and order", () => {
    assert.equal(
      found(spec(), "restricted"),
      `allowPrivilegeEscalation != false (container "c" must set securityContext.allowPrivilegeEscalation=false), ` +
        `unrestricted capabilities (container "c" must set securityContext.capabilities.drop=["ALL"]), ` +
        `runAsNonRoot != true (pod or container "c" must set securityContext.runAsNonRoot=true), ` +
        `seccompProfile (pod or container "c" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")`,
    );
  });
  const rows: readonly (readonly [V1PodSpec, string])[] = [
    [good, ""],
    [
      {
        ...good,
        volumes: [
          { name: "a", emptyDir: {} },
          { name: "p", projected: {} },
        ],
      },
      "",
    ],
    [
      {
        ...good,
        volumes: [
          { name: "a", hostPath: { path: "/" } },
          { name: "b", nfs: { path: "/", server: "s" } },
        ],
      },
      `restricted volume types (volumes "a", "b" use restricted volume types "hostPath", "nfs")`,
    ],
    [
      { ...good, securityContext: { ...good.securityContext, runAsUser: 0 } },
      "runAsUser=0 (pod must not set runAsUser=0)",
    ],
    [
      { ...good, securityContext: { ...good.securityContext, runAsNonRoot: false } },
      "runAsNonRoot != true (pod must not set securityContext.runAsNonRoot=false)",
    ],
    [
      {
        ...good,
        containers: [
          {
            name: "c",
            securityContext: { ...hardened, capabilities: { drop: ["ALL"], add: ["CHOWN"] } },
          },
        ],
      },
      `unrestricted capabilities (container "c" must not include "CHOWN" in securityContext.capabilities.add)`,
    ],
    [
      {
        ...good,
        ephemeralContainers: [{ name: "e", securityContext: { ...hardened, privileged: true } }],
      },
      `privileged (container "e" must not set securityContext.privileged=true)`,
    ],
  ];
  for (const [pod, expected] of rows)
    it(expected || "nothing", () => assert.equal(found(pod, "restricted"), expected));
});

describe("readPolicy", () => {
  const label = (name: string) => `pod-security.kubernetes.io/${name}`;
  const rows: readonly (readonly [Record<string, string>, string, number])[] = [
    [{}, "privileged:latest privileged:latest", 0],
    [{ enforce: "baseline" }, "baseline:latest baseline:latest", 0],
    [
      { enforce: "baseline", "enforce-version": "v1.30", warn: "restricted" },
      "baseline:v1.30 restricted:latest",
      0,
    ],
    [{ enforce: "strict" }, "restricted:latest restricted:latest", 1],
    [{ warn: "strict" }, "privileged:latest privileged:latest", 1],
    [{ enforce: "baseline", "enforce-version": "1.30" }, "baseline:latest baseline:latest", 1],
    [{ audit: "x", "audit-version": "y" }, "privileged:latest privileged:latest", 2],
  ];
  for (const [short, expected, errors] of rows)
    it(JSON.stringify(short), () => {
      const labels = Object.fromEntries(Object.entries(short).map(([k, v]) => [label(k), v]));
      const policy = readPolicy(labels);
      assert.equal(`${formatLevel(policy.enforce)} ${formatLevel(policy.warn)}`, expected);
      assert.equal(policy.errors.length, errors);
    });
});

describe("PodSecurity", () => {
  const namespace = (labels: Record<string, string>): Namespace => ({
    metadata: {
      name: "a",
      labels: Object.fromEntries(
        Object.entries(labels).map(([k, v]) => [`pod-security.kubernetes.io/${k}`, v]),
      ),
    },
  });
  const cache = new StaticCache();
  const plugin = new PodSecurity(cache);
  const run = (labels: Record<string, string>, options: CallOptions) => {
    cache.put(Namespace, namespace(labels));
    const call = admissionCall(options);
    assert.ok(plugin.handles(call));
    plugin.validate(call);
    return call.warnings;
  };
  const metadata = { name: "web", namespace: "a" };
  const bad: Pod = { metadata, spec: spec({ securityContext: { privileged: true } }) };
  const text = `privileged (container "c" must not set securityContext.privileged=true)`;

  it("refuses what the namespace does not let in", () =>
    assert.throws(() => run({ enforce: "baseline" }, { kind: Pod, object: bad }), {
      message: `pods "web" is forbidden: violates PodSecurity "baseline:latest": ${text}`,
    }));
  it("lets everything in by default", () =>
    assert.deepEqual(run({}, { kind: Pod, object: bad }), []));
  it("warns, of workloads too", () => {
    const warning = `would violate PodSecurity "baseline:v1.30": ${text}`;
    const labels = { warn: "baseline", "warn-version": "v1.30" };
    assert.deepEqual(run(labels, { kind: Pod, object: bad }), [warning]);
    const selector = {};
    const object: Deployment = { metadata, spec: { selector, template: { spec: bad.spec! } } };
    assert.deepEqual(run(labels, { kind: Deployment, object }), [warning]);
  });
  it("lets Pods that are in be relabelled, not changed for the worse", () => {
    const labels = { enforce: "baseline" };
    const mild: Pod = { metadata, spec: spec() };
    const relabelled = { ...bad, metadata: { ...metadata, labels: { a: "b" } } };
    assert.deepEqual(run(labels, { kind: Pod, object: relabelled, old: bad }), []);
    assert.throws(() => run(labels, { kind: Pod, object: bad, old: mild }));
  });
  it("refuses labels that name no level", () => {
    const object = namespace({ enforce: "strict" });
    assert.throws(() => run({}, { kind: Namespace, object }), {
      message:
        `Namespace "a" is invalid: metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: "strict": ` +
        `must be one of privileged, baseline, restricted`,
    });
    assert.deepEqual(run({}, { kind: Namespace, object, old: object }), []);
  });
  it("warns of Pods that are in when the namespace becomes stricter", () => {
    for (const name of ["p1", "p2"]) cache.put(Pod, { ...bad, metadata: { name, namespace: "a" } });
    const object = namespace({ enforce: "baseline" });
    assert.deepEqual(run({}, { kind: Namespace, object, old: namespace({}) }), [
      `existing pods in namespace "a" violate the new PodSecurity enforce level "baseline:latest"`,
      "p1 (and 1 other pod): privileged",
    ]);
  });
});
