import { resourceByKind } from "../api/catalog.ts";
import { Namespace } from "../api/core/namespace.ts";
import type { Kind } from "../api/machinery/kind.ts";
import type { KubeObject, ObjectKey } from "../api/machinery/object.ts";
import type { Cache } from "../client/cache.ts";
import type {
  V1LabelSelector,
  V1PodDisruptionBudget,
  V1ReplicaSet,
  V1Service,
} from "../gen/types.ts";
import type { StorageChange, StorageObjects } from "./claims.ts";
import type { ClusterChange } from "./framework.ts";
import type { SchedulerCache } from "./scheduler-cache.ts";
import type { Workloads, WorkloadKind } from "./workloads.ts";

/** Kinds by whose selectors Pods are spread. */
const WORKLOADS: readonly (readonly [string, WorkloadKind])[] = [
  ["v1", "Service"],
  ["v1", "ReplicationController"],
  ["apps/v1", "ReplicaSet"],
  ["apps/v1", "StatefulSet"],
];

const STORAGE: readonly (readonly [string, keyof StorageObjects])[] = [
  ["v1", "PersistentVolumeClaim"],
  ["v1", "PersistentVolume"],
  ["storage.k8s.io/v1", "StorageClass"],
  ["storage.k8s.io/v1", "CSIDriver"],
  ["storage.k8s.io/v1", "CSINode"],
  ["storage.k8s.io/v1", "CSIStorageCapacity"],
  ["storage.k8s.io/v1", "VolumeAttachment"],
];

/**
 * Keeps what decisions read besides nodes and Pods in step with the server: labels of namespaces, selectors of workloads, budgets, volumes.
 *
 * Resolves when all that is there is known. Kinds that the server does not serve have no objects.
 */
export async function followCluster(
  cache: Cache,
  state: SchedulerCache,
  workloads: Workloads,
  onChange: (change: ClusterChange) => void,
): Promise<void> {
  cache.onChange(Namespace, ({ key, object }) =>
    state.setNamespace(key.name, object?.metadata?.labels),
  );
  const kinds: Kind[] = [Namespace];
  for (const [apiVersion, name] of WORKLOADS) {
    const kind = resourceByKind(apiVersion, name)?.kind;
    if (!kind) continue;
    cache.onChange(kind, ({ key, object }) => setWorkload(workloads, name, key, object));
    kinds.push(kind);
  }
  const budgets = resourceByKind("policy/v1", "PodDisruptionBudget")?.kind;
  if (budgets) {
    cache.onChange(budgets, ({ key, object }) =>
      state.setBudget(`${key.namespace}/${key.name}`, object as V1PodDisruptionBudget | undefined),
    );
    kinds.push(budgets);
  }
  for (const [apiVersion, resource] of STORAGE) {
    const kind = resourceByKind(apiVersion, resource)?.kind;
    if (!kind) continue;
    cache.onChange(kind, ({ key: { namespace, name }, old, object }) => {
      const change = { kind: "storage", resource, namespace, name, old, object } as StorageChange;
      state.claims.apply(change);
      onChange(change);
    });
    kinds.push(kind);
  }
  await Promise.all(kinds.map((kind) => cache.sync(kind)));
}

type LabelMap = Readonly<Record<string, string>>;

function setWorkload(
  workloads: Workloads,
  kind: WorkloadKind,
  { namespace, name }: ObjectKey,
  object: KubeObject | undefined,
): void {
  const { selector } = (object as V1Service | V1ReplicaSet | undefined)?.spec ?? {};
  if (kind === "Service") workloads.setService(namespace, name, selector as LabelMap | undefined);
  else if (kind === "ReplicationController") {
    const matchLabels = selector as LabelMap | undefined;
    workloads.setOwner(kind, namespace, name, matchLabels && { matchLabels });
  } else workloads.setOwner(kind, namespace, name, selector as V1LabelSelector | undefined);
}
