import type { Instant } from "../../base/clock.ts";
import type { Kind } from "../../api/machinery/kind.ts";
import { keyOf, parseKey, type KubeObject } from "../../api/machinery/object.ts";
import { Namespace } from "../../api/core/namespace.ts";
import { Pod } from "../../api/core/pod.ts";
import type { Cache } from "../../client/cache.ts";
import type { Plan, PlannedWrite } from "../../reconciler/controller.ts";
import { isBeingDeleted } from "../../reconciler/ownership.ts";
import type { Loop } from "../../reconciler/runner.ts";
import type { ServedKinds } from "../../reconciler/served-kinds.ts";
import { terminationConditions } from "./termination-conditions.ts";

const FINALIZER = "kubernetes";
/** Deletes of one step. Bounds what one namespace puts on the server at once. */
const STEP_DELETES_MAX = 500;
/** Until caches that are behind are asked again. Doubling delays the end of a namespace by as much. */
const BEHIND_MS = 50;

/** `content`: what is left, by kind. `isCurrent`: every cache has seen the namespace's deletion. */
export interface Observed {
  readonly namespace: Namespace;
  readonly content: ReadonlyMap<Kind, readonly KubeObject[]>;
  readonly isCurrent: boolean;
}

/**
 * Empties namespaces that are being deleted, Pods first, and then takes the finalizer off.
 *
 * Kinds come and go with custom resources, therefore a loop and not a fixed controller.
 * @param served all deletable namespaced kinds.
 * @invariant the finalizer goes only when every cache is past the revision of the deletion: what was created before is
 * then known, and admission refuses what comes after.
 * @spec k8s@1.36 pkg/controller/namespace/deletion; KEP-5080 (ordered deletion)
 */
export function namespaceLoop(served: ServedKinds, cache: Cache): Loop {
  const namespaced = (): readonly Kind[] => served.current().filter((kind) => kind.isNamespaced);
  return {
    name: "namespace-controller",
    kinds: {
      current: () => [Namespace, ...namespaced()],
      onChange: (call) => served.onChange(call),
    },
    keysOf({ kind, key }) {
      if (kind === Namespace) return [key.name];
      const namespace = cache.get(Namespace, { namespace: "", name: key.namespace });
      return namespace && isBeingDeleted(namespace) ? [key.namespace] : [];
    },
    decide(text, now) {
      const namespace = cache.get(Namespace, parseKey(text));
      if (!namespace || !isBeingDeleted(namespace)) return undefined;
      const kinds = namespaced();
      const revision = Number(namespace.metadata?.resourceVersion);
      const content = new Map(
        kinds.map((kind) => [kind, cache.list(kind, { namespace: text })] as const),
      );
      const isCurrent = kinds.every((kind) => cache.revision(kind) >= revision);
      const primary = { kind: Namespace, object: namespace, observesGeneration: false };
      return { plan: plan({ namespace, content, isCurrent }, now), primary };
    },
  };
}

/** Pure; see {@link namespaceLoop}. */
export function plan({ namespace, content, isCurrent }: Observed, now: Instant): Plan {
  const finalizers = namespace.spec?.finalizers ?? [];
  if (!finalizers.includes(FINALIZER)) return {};
  const left = new Map([...content].filter(([, objects]) => objects.length > 0));
  if (left.size === 0 && isCurrent) return finish(namespace, finalizers, now);
  const pods = [...left].filter(([kind]) => kind === Pod);
  const writes = deletes(pods.length ? pods : [...left]);
  const status = (failures: readonly string[]): object => ({
    ...namespace.status,
    conditions: terminationConditions(namespace.status?.conditions, left, failures, now),
  });
  return {
    writes,
    status: status([]),
    statusOnFailure: ({ message }) => status([message]),
    ...(!isCurrent && { wakeAt: now + BEHIND_MS }),
  };
}

/** What is not being deleted yet, as much as one step takes; what is going waits for its own finalizers or its grace period. */
function deletes(content: readonly (readonly [Kind, readonly KubeObject[]])[]): PlannedWrite[] {
  const writes: PlannedWrite[] = [];
  for (const [kind, objects] of content)
    for (const object of objects) {
      if (isBeingDeleted(object)) continue;
      if (writes.length === STEP_DELETES_MAX) return writes;
      const ifUid = object.metadata?.uid ?? "";
      writes.push({ verb: "delete", kind, key: keyOf(object), ifUid, propagation: "Background" });
    }
  return writes;
}

function finish(namespace: Namespace, finalizers: readonly string[], now: Instant): Plan {
  const others = finalizers.filter((finalizer) => finalizer !== FINALIZER);
  const object = { ...namespace, spec: { ...namespace.spec, finalizers: others } };
  const finalize: PlannedWrite = {
    verb: "update",
    kind: Namespace,
    object,
    subresource: "finalize",
  };
  // With nobody else to wait for, the namespace is gone after this, and has no status to write.
  if (others.length === 0 && !namespace.metadata?.finalizers?.length) return { writes: [finalize] };
  const conditions = terminationConditions(namespace.status?.conditions, new Map(), [], now);
  return { writes: [finalize], status: { ...namespace.status, conditions } };
}
