import {
  configMap,
  deployment,
  node,
  pod,
  replicaSet,
  secret,
  service,
} from "../support/builders.ts";
import { namespace } from "../support/builders.ts";
import type { Draw } from "./draw.ts";
import { anyValue, record } from "./json-values.ts";

const named = (apiVersion: string, kind: string, rest: object = {}, name = "a"): object => ({
  apiVersion,
  kind,
  metadata: { name, namespace: "default" },
  ...rest,
});

const RBAC = "rbac.authorization.k8s.io";
const roleRef = { apiGroup: RBAC, kind: "ClusterRole", name: "view" };
const subjects = [{ kind: "User", apiGroup: RBAC, name: "reader" }];
const rules = [{ apiGroups: [""], resources: ["pods"], verbs: ["get"] }];
const handler = { httpGet: { port: 80, path: "/" }, periodSeconds: 1 };
const term = { topologyKey: "zone", labelSelector: { matchLabels: { app: "a" } } };

/** A Pod that uses much of what Pods have. */
const richPod = pod("a", {
  metadata: { name: "a", namespace: "default", labels: { app: "a" }, finalizers: ["x.io/y"] },
  spec: {
    initContainers: [{ name: "init", image: "i", restartPolicy: "Always" }],
    containers: [
      {
        name: "app",
        image: "nginx:1",
        command: ["a"],
        env: [
          { name: "A", value: "b" },
          { name: "B", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
          { name: "C", valueFrom: { resourceFieldRef: { resource: "limits.cpu" } } },
        ],
        envFrom: [{ prefix: "P", configMapRef: { name: "a" } }],
        ports: [{ name: "web", containerPort: 80, hostPort: 8080 }],
        resources: { limits: { cpu: "1", memory: "1Gi" }, requests: { cpu: "500m" } },
        livenessProbe: handler,
        readinessProbe: { exec: { command: ["a"] } },
        lifecycle: { preStop: { sleep: { seconds: 1 } } },
        volumeMounts: [{ name: "v", mountPath: "/v", subPath: "a/b" }],
        securityContext: { runAsUser: 1, capabilities: { drop: ["ALL"] } },
      },
    ],
    volumes: [
      { name: "v", emptyDir: { sizeLimit: "1Gi" } },
      { name: "c", configMap: { name: "a", items: [{ key: "k", path: "p/q", mode: 420 }] } },
      { name: "h", hostPath: { path: "/tmp", type: "Directory" } },
      { name: "p", projected: { sources: [{ serviceAccountToken: { path: "t" } }] } },
    ],
    affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } },
    tolerations: [{ key: "a", operator: "Exists", effect: "NoExecute", tolerationSeconds: 1 }],
    topologySpreadConstraints: [
      { maxSkew: 1, topologyKey: "zone", whenUnsatisfiable: "DoNotSchedule" },
    ],
    securityContext: { fsGroup: 1, sysctls: [{ name: "kernel.shm_rmid_forced", value: "1" }] },
    hostAliases: [{ ip: "1.2.3.4", hostnames: ["a"] }],
    dnsConfig: { nameservers: ["1.1.1.1"], options: [{ name: "ndots", value: "1" }] },
  },
});

/** One object of each kind that is stored, and of some that are not: valid, with much in it. */
const OBJECTS: Readonly<Record<string, object>> = {
  "/v1/Pod": richPod,
  "/v1/ConfigMap": configMap("a", { data: { k: "v" }, binaryData: { b: "aGk=" } }),
  "/v1/Secret": secret("a", { type: "Opaque", stringData: { k: "v" }, data: { b: "aGk=" } }),
  "/v1/Service": service("a", {
    spec: { type: "NodePort", ports: [{ name: "web", port: 80, targetPort: "web" }] },
  }),
  "/v1/Namespace": namespace("a"),
  "/v1/Node": node("a"),
  "/v1/ServiceAccount": named("v1", "ServiceAccount", { imagePullSecrets: [{ name: "a" }] }),
  "/v1/Endpoints": named("v1", "Endpoints", {
    subsets: [{ addresses: [{ ip: "10.0.0.1", nodeName: "a" }], ports: [{ port: 80 }] }],
  }),
  "/v1/Event": named("v1", "Event", {
    involvedObject: { kind: "Pod", name: "a", namespace: "default" },
    reason: "Why",
    message: "so",
    type: "Normal",
  }),
  "/v1/Binding": named("v1", "Binding", { target: { kind: "Node", name: "a" } }),
  "apps/v1/Deployment": deployment("a"),
  "apps/v1/ReplicaSet": replicaSet("a"),
  "apps/v1/ControllerRevision": named("apps/v1", "ControllerRevision", {
    revision: 1,
    data: { a: 1 },
  }),
  "coordination.k8s.io/v1/Lease": named("coordination.k8s.io/v1", "Lease", {
    spec: {
      holderIdentity: "a",
      leaseDurationSeconds: 1,
      renewTime: "2026-01-01T00:00:00.000000Z",
    },
  }),
  "discovery.k8s.io/v1/EndpointSlice": named("discovery.k8s.io/v1", "EndpointSlice", {
    addressType: "IPv4",
    endpoints: [{ addresses: ["10.0.0.1"], conditions: { ready: true } }],
    ports: [{ name: "web", port: 80, protocol: "TCP" }],
  }),
  [`${RBAC}/v1/Role`]: named(`${RBAC}/v1`, "Role", { rules }),
  [`${RBAC}/v1/ClusterRole`]: named(`${RBAC}/v1`, "ClusterRole", { rules }),
  [`${RBAC}/v1/RoleBinding`]: named(`${RBAC}/v1`, "RoleBinding", { roleRef, subjects }),
  [`${RBAC}/v1/ClusterRoleBinding`]: named(`${RBAC}/v1`, "ClusterRoleBinding", {
    roleRef,
    subjects,
  }),
  "authorization.k8s.io/v1/SubjectAccessReview": named(
    "authorization.k8s.io/v1",
    "SubjectAccessReview",
    {
      spec: { user: "a", resourceAttributes: { verb: "get", resource: "pods" } },
    },
  ),
};

/** A valid object of a kind; `undefined`: there is none. */
export function validObject(key: string): object | undefined {
  return Object.hasOwn(OBJECTS, key) ? OBJECTS[key] : undefined;
}

/** A valid object of a kind, where there is one, with a few things changed; `undefined`: there is none. */
export function nearlyValid(draw: Draw, key: string): object | undefined {
  const object = validObject(key);
  if (!object || draw.chance(25)) return object;
  let changed: unknown = object;
  for (let left = 1 + draw.size(3); left > 0; left--) changed = changedAt(draw, changed);
  return changed as object;
}

/** `value` with something at a drawn place put in, taken out, or made something else. */
function changedAt(draw: Draw, value: unknown): unknown {
  if (typeof value !== "object" || value === null || draw.chance(8)) return other(draw, value);
  if (Array.isArray(value)) {
    if (value.length === 0 || draw.chance(15)) return [...(value as unknown[]), anyValue(draw, 2)];
    const at = draw.integer(value.length);
    if (draw.chance(10)) return [...(value as unknown[]), value[at]];
    return value.map((item: unknown, index) => (index === at ? changedAt(draw, item) : item));
  }
  const entries = Object.entries(value);
  if (entries.length === 0 || draw.chance(8))
    return record([...entries, [draw.key(), anyValue(draw, 2)]]);
  const at = draw.integer(entries.length);
  if (draw.chance(10)) return record(entries.filter((_, index) => index !== at));
  return record(
    entries.map(([key, item], index) => [key, index === at ? changedAt(draw, item) : item]),
  );
}

/** A value of the same type, more often than not. */
function other(draw: Draw, value: unknown): unknown {
  if (typeof value === "string" && draw.chance(80)) return draw.text();
  if (typeof value === "number" && draw.chance(80)) return Math.trunc(draw.number());
  return anyValue(draw, 2);
}
