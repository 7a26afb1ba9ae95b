import type {
  V1ConfigMap,
  V1Deployment,
  V1Namespace,
  V1Node,
  V1ObjectMeta,
  V1Pod,
  V1PodSpec,
  V1PodStatus,
  V1ReplicaSet,
  V1Secret,
  V1Service,
} from "../../src/gen/types.ts";

/** Objects for tests: the least that is valid, with what a test cares about laid over it, field by field. */
interface Parts<Spec, Status> {
  readonly metadata?: V1ObjectMeta;
  readonly spec?: Partial<Spec>;
  readonly status?: Status;
}

type SpecOf<T extends { readonly spec?: unknown }> = NonNullable<T["spec"]>;
type StatusOf<T extends { readonly status?: unknown }> = NonNullable<T["status"]>;

/** A Pod of one container `app`. */
export function pod(name = "pod", parts: Parts<V1PodSpec, V1PodStatus> = {}): V1Pod {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: metadata(name, parts.metadata),
    spec: { containers: [{ name: "app", image: "app:1" }], ...parts.spec },
    ...(parts.status && { status: parts.status }),
  };
}

/** A Service on port 80 that selects `app: NAME`. */
export function service(
  name = "service",
  parts: Parts<SpecOf<V1Service>, StatusOf<V1Service>> = {},
): V1Service {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: metadata(name, parts.metadata),
    spec: { selector: { app: name }, ports: [{ port: 80 }], ...parts.spec },
    ...(parts.status && { status: parts.status }),
  };
}

/** A Deployment whose pods carry `app: NAME`. */
export function deployment(
  name = "deployment",
  parts: Parts<SpecOf<V1Deployment>, StatusOf<V1Deployment>> = {},
): V1Deployment {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: metadata(name, parts.metadata),
    spec: { selector: selecting(name), template: template(name), ...parts.spec },
    ...(parts.status && { status: parts.status }),
  };
}

/** A ReplicaSet whose pods carry `app: NAME`. */
export function replicaSet(
  name = "set",
  parts: Parts<SpecOf<V1ReplicaSet>, StatusOf<V1ReplicaSet>> = {},
): V1ReplicaSet {
  return {
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    metadata: metadata(name, parts.metadata),
    spec: { selector: selecting(name), template: template(name), ...parts.spec },
    ...(parts.status && { status: parts.status }),
  };
}

/** A ready Node with room for ten pods. */
export function node(name = "node", parts: Parts<SpecOf<V1Node>, StatusOf<V1Node>> = {}): V1Node {
  const capacity = { cpu: "4", memory: "8Gi", pods: "10" };
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: { name, labels: { "kubernetes.io/hostname": name }, ...parts.metadata },
    spec: { ...parts.spec },
    status: {
      capacity,
      allocatable: capacity,
      conditions: [{ type: "Ready", status: "True" }],
      ...parts.status,
    },
  };
}

/** An active Namespace. */
export function namespace(name = "default"): V1Namespace {
  return {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name },
    spec: { finalizers: ["kubernetes"] },
    status: { phase: "Active" },
  };
}

/** A ConfigMap. */
export function configMap(name = "config", parts: Omit<V1ConfigMap, "kind"> = {}): V1ConfigMap {
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    ...parts,
    metadata: metadata(name, parts.metadata),
  };
}

/** A Secret. */
export function secret(name = "secret", parts: Omit<V1Secret, "kind"> = {}): V1Secret {
  return { apiVersion: "v1", kind: "Secret", ...parts, metadata: metadata(name, parts.metadata) };
}

function metadata(name: string, parts: V1ObjectMeta = {}): V1ObjectMeta {
  return { name, namespace: "default", ...parts };
}

function selecting(app: string): { matchLabels: { app: string } } {
  return { matchLabels: { app } };
}

function template(app: string): { metadata: V1ObjectMeta; spec: V1PodSpec } {
  return {
    metadata: { labels: { app } },
    spec: { containers: [{ name: "app", image: "app:1" }] },
  };
}
