import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { deployment, node, pod, service } from "../../test/support/builders.ts";
import { resourceByKind } from "./catalog.ts";
import type { KubeObject } from "./machinery/object.ts";

const NOW = { now: 0, user: "u" };

const handler = { httpGet: { port: "web", httpHeaders: [{ name: "A", value: "b" }] } };
const term = { topologyKey: "zone", labelSelector: { matchExpressions: [{ key: "a", operator: "In", values: ["b"] }] } }; // prettier-ignore
const nodeTerm = { matchExpressions: [{ key: "a", operator: "In", values: ["b"] }] };
const REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution";

const RICH_SPEC = {
  containers: [
    {
      name: "app",
      image: "app",
      ports: [{ name: "web", containerPort: 80, hostPort: 80 }],
      env: [
        { name: "A", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
        { name: "B", valueFrom: { secretKeyRef: { name: "s", key: "k" } } },
        { name: "C", valueFrom: { resourceFieldRef: { resource: "limits.cpu", divisor: "1" } } },
      ],
      envFrom: [{ configMapRef: { name: "c" } }],
      livenessProbe: { ...handler },
      readinessProbe: { grpc: { port: 1 } },
      startupProbe: { tcpSocket: { port: 1 } },
      lifecycle: { preStop: { exec: { command: ["x"] } } },
      resources: { limits: { cpu: "1" }, requests: { cpu: "1" }, claims: [{ name: "r" }] },
      securityContext: { capabilities: { add: ["X"] }, seccompProfile: { type: "Unconfined" } },
      volumeMounts: [{ name: "p", mountPath: "/p", subPath: "x" }],
      volumeDevices: [{ name: "c", devicePath: "/dev/x" }],
      resizePolicy: [{ resourceName: "cpu", restartPolicy: "NotRequired" }],
      restartPolicy: "Never",
      restartPolicyRules: [{ action: "Restart", exitCodes: { operator: "In", values: [1] } }],
    },
  ],
  initContainers: [{ name: "init", image: "i" }],
  volumes: [
    {
      name: "p",
      projected: {
        sources: [
          { serviceAccountToken: { path: "t" } },
          { configMap: { name: "c", items: [{ key: "k", path: "p" }] } },
          { downwardAPI: { items: [{ path: "l", fieldRef: { fieldPath: "metadata.labels" } }] } },
        ],
      },
    },
    { name: "c", persistentVolumeClaim: { claimName: "c" } },
    { name: "h", hostPath: { path: "/x" } },
    { name: "n", nfs: { server: "s", path: "/x" } },
    { name: "i", csi: { driver: "d", nodePublishSecretRef: { name: "s" } } },
    { name: "g", gitRepo: { repository: "r", directory: "d" } },
  ],
  affinity: {
    nodeAffinity: {
      [REQUIRED]: { nodeSelectorTerms: [nodeTerm, { matchFields: [{ key: "metadata.name", operator: "In", values: ["n"] }] }] }, // prettier-ignore
      [PREFERRED]: [{ weight: 1, preference: nodeTerm }],
    },
    podAffinity: { [REQUIRED]: [term], [PREFERRED]: [{ weight: 1, podAffinityTerm: term }] },
  },
  topologySpreadConstraints: [{ ...term, maxSkew: 1, whenUnsatisfiable: "DoNotSchedule" }],
  tolerations: [{ key: "a", operator: "Equal", value: "b" }],
  hostAliases: [{ ip: "1.2.3.4", hostnames: ["a"] }],
  dnsConfig: { nameservers: ["1.2.3.4"], searches: ["a"], options: [{ name: "ndots" }] },
  readinessGates: [{ conditionType: "a" }],
  schedulingGates: [{ name: "g" }],
  resourceClaims: [{ name: "r", resourceClaimName: "c" }],
  securityContext: { sysctls: [{ name: "a.b", value: "c" }], supplementalGroups: [1] },
  os: { name: "linux" },
};

const JOB_SPEC = {
  completions: 3,
  completionMode: "Indexed",
  backoffLimitPerIndex: 1,
  selector: { matchLabels: { a: "b" } },
  podFailurePolicy: {
    rules: [
      { action: "Ignore", onPodConditions: [{ type: "DisruptionTarget", status: "True" }] },
      { action: "FailJob", onExitCodes: { operator: "In", values: [1, 2], containerName: "app" } },
    ],
  },
  successPolicy: { rules: [{ succeededIndexes: "0-1", succeededCount: 1 }] },
  template: { metadata: { labels: { a: "b" } }, spec: { ...RICH_SPEC, restartPolicy: "Never" } },
};

const RICH: readonly object[] = [
  pod("p", { spec: RICH_SPEC }),
  deployment("d", { spec: { template: { metadata: { labels: { app: "d" } }, spec: RICH_SPEC } } }),
  {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name: "j", labels: { a: "b" } },
    spec: JOB_SPEC,
  },
  {
    apiVersion: "batch/v1",
    kind: "CronJob",
    metadata: { name: "c" },
    spec: { schedule: "@daily", timeZone: "UTC", jobTemplate: { spec: JOB_SPEC } },
    status: { active: [{ name: "j" }], lastScheduleTime: "2026-01-01T00:00:00Z" },
  },
  service("s", { spec: { type: "LoadBalancer", clusterIP: "10.0.0.1", externalIPs: ["1.2.3.4"] } }),
  node("n", { spec: { taints: [{ key: "a", effect: "NoSchedule" }], podCIDRs: ["10.0.0.0/24"] } }),
  {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    addressType: "IPv4",
    endpoints: [{ addresses: ["10.0.0.1"], hints: { forZones: [{ name: "z" }] } }],
    ports: [{ name: "a", port: 1 }],
  },
  {
    apiVersion: "compose.docker.com/v1alpha3",
    kind: "Stack",
    metadata: { name: "app" },
    spec: {
      services: [
        {
          name: "web",
          image: "web:1",
          ports: [{ target: 80, published: 8080, protocol: "tcp" }],
          internal_ports: [{ port: 80, protocol: "TCP" }],
          volumes: [{ type: "volume", source: "data", target: "/data" }],
          environment: { A: "b" },
          extra_hosts: ["a:1.2.3.4"],
          deploy: {
            labels: { a: "b" },
            resources: { limits: { cpus: "1", memory: 1 } },
            placement: { constraints: { MatchLabels: { a: { Operator: "==", Value: "b" } } } },
            restart_policy: { condition: "any" },
            update_config: { paralellism: 1 },
          },
        },
      ],
      secrets: { key: { file: "f", external: { name: "n", external: true } } },
    },
    status: { phase: "Available", message: "m" },
  },
  { apiVersion: "v1", kind: "Endpoints", subsets: [{ addresses: [{ ip: "10.0.0.1" }], ports: [{ port: 1 }] }] }, // prettier-ignore
  {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "RoleBinding",
    roleRef: { kind: "Role", name: "r" },
    subjects: [{ kind: "ServiceAccount", name: "a" }],
  },
  {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRole",
    rules: [{ verbs: ["get"], apiGroups: [""], resources: ["pods"] }],
    aggregationRule: { clusterRoleSelectors: [{ matchLabels: { a: "b" } }] },
  },
];

/** Every object that comes of leaving out one field, anywhere. */
function* withoutOne(value: unknown): Generator<unknown> {
  if (typeof value !== "object" || value === null) return;
  for (const key of Object.keys(value)) {
    const child = (value as Record<string, unknown>)[key];
    if (!Array.isArray(value)) {
      const { [key]: _, ...rest } = value as Record<string, unknown>;
      yield rest;
    }
    for (const smaller of withoutOne(child))
      yield Array.isArray(value)
        ? value.map((item: unknown, index) => (String(index) === key ? smaller : item))
        : { ...value, [key]: smaller };
  }
}

/** So that a strategy that changes its argument throws. */
function deepFreeze(value: unknown): void {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return;
  Object.freeze(value);
  Object.values(value).forEach(deepFreeze);
}

describe("strategies are total and change no argument", () => {
  for (const whole of RICH as readonly (KubeObject & object)[]) {
    it(`whatever field of a ${whole.kind} is left out`, () => {
      const { strategy, columns, selectableFields } = resourceByKind(whole.apiVersion!, whole.kind!)!; // prettier-ignore
      const stored = strategy.prepareForCreate(strategy.withDefaults(whole), NOW);
      for (const partial of withoutOne(whole)) {
        deepFreeze(partial);
        const given = strategy.withDefaults(partial as KubeObject);
        strategy.validate(strategy.prepareForCreate(given, NOW));
        const updated = strategy.prepareForUpdate(given, stored, NOW);
        strategy.validateUpdate(updated, stored);
        assert.deepEqual(strategy.withDefaults(given), given);
        for (const { cell } of columns) cell(updated, 0);
        for (const read of Object.values(selectableFields ?? {})) read(updated);
      }
    });
  }
});
