import type { Instant } from "../../base/clock.ts";
import { equalJson } from "../../api/machinery/equality.ts";
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
/**
 * Objects of one kind that one step looks at: each may have to be parsed, so 7 ms. Doubling doubles how long a large namespace holds
 * others up.
 */
const STEP_OBJECTS_MAX = 500;
/** Until caches that are behind are asked again. Doubling delays the end of a namespace by as much. */
const BEHIND_MS = 50;
/**
 * Between writes of the status that only say how many objects are left: each that goes would be one. Doubling makes what a namespace
 * says of its end older by as much, and saves few writes more.
 */
const COUNTS_MS = 2000;

type ReadCache = Pick<Cache, "get" | "list" | "count" | "revision">;

/** What is left of one kind: all of it, or as much as one step looks at. */
export interface Left {
  readonly count: number;
  /** The first of them. */
  readonly first: readonly KubeObject[];
  /** Some that are not being deleted yet. */
  readonly untouched: readonly KubeObject[];
  /** There was nothing untouched where this step looked, but it did not look at all. */
  readonly isToBeContinued: boolean;
}

/**
 * `content`: what is left, by kind. `isCurrent`: every cache has seen the namespace's deletion. `toldAt`: when its status was written
 * last, as far as that is known.
 */
export interface Observed {
  readonly namespace: Namespace;
  readonly content: ReadonlyMap<Kind, Left>;
  readonly isCurrent: boolean;
  readonly toldAt?: Instant | undefined;
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
export function namespaceLoop(served: ServedKinds, cache: ReadCache): Loop {
  const namespaced = (): readonly Kind[] => served.current().filter((kind) => kind.isNamespaced);
  const laps = new Laps(cache);
  /** By namespace on its way out. A start without it costs one write more. */
  const toldAt = new Map<string, Instant>();
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
      if (!namespace || !isBeingDeleted(namespace)) {
        laps.end(text);
        toldAt.delete(text);
        return undefined;
      }
      const kinds = namespaced();
      const revision = Number(namespace.metadata?.resourceVersion);
      const content = new Map(kinds.map((kind) => [kind, laps.look(kind, text)] as const));
      const isCurrent = kinds.every((kind) => cache.revision(kind) >= revision);
      const primary = { kind: Namespace, object: namespace, observesGeneration: false };
      const next = plan({ namespace, content, isCurrent, toldAt: toldAt.get(text) }, now);
      if (next.status) toldAt.set(text, now);
      return { plan: next, primary };
    },
  };
}

/**
 * Looks for what is not being deleted yet, a step at a time, around and around: what waits for its own finalizers or grace period
 * may be 100,000 objects, and each of them that goes asks again.
 */
class Laps {
  readonly #cache: ReadCache;
  /** Of each namespace, by kind: the name behind which the next step looks. */
  readonly #places = new Map<string, Map<Kind, string>>();

  constructor(cache: ReadCache) {
    this.#cache = cache;
  }

  look(kind: Kind, namespace: string): Left {
    const count = this.#cache.count(kind, namespace);
    if (count === 0) return NOTHING;
    const places = this.#places.get(namespace) ?? new Map<Kind, string>();
    this.#places.set(namespace, places);
    const after = places.get(kind) ?? "";
    const first = this.#cache.list(kind, { namespace, limit: STEP_OBJECTS_MAX });
    const here =
      after === "" ? first : this.#cache.list(kind, { namespace, after, limit: STEP_OBJECTS_MAX });
    const untouched = here.filter((object) => !isBeingDeleted(object));
    const isFull = here.length === STEP_OBJECTS_MAX;
    // On, whatever comes of these: one that cannot be deleted must not keep what is behind it.
    if (isFull) places.set(kind, here.at(-1)!.metadata!.name!);
    else places.delete(kind);
    const isToBeContinued = untouched.length === 0 && isFull;
    return { count, first, untouched, isToBeContinued };
  }

  end(namespace: string): void {
    this.#places.delete(namespace);
  }
}

const NOTHING: Left = { count: 0, first: [], untouched: [], isToBeContinued: false };

/** Pure; see {@link namespaceLoop}. */
export function plan(observed: Observed, now: Instant): Plan {
  const { namespace, content, isCurrent } = observed;
  const finalizers = namespace.spec?.finalizers ?? [];
  if (!finalizers.includes(FINALIZER)) return {};
  const left = new Map([...content].filter(([, { count }]) => count > 0));
  if (left.size === 0 && isCurrent) return finish(namespace, finalizers, now);
  const pods = left.get(Pod);
  const due = pods ? [[Pod, pods] as const] : [...left];
  const writes = deletes(due);
  const isLapping = writes.length === 0 && due.some(([, { isToBeContinued }]) => isToBeContinued);
  const conditions = terminationConditions(namespace.status?.conditions, left, [], now);
  const heldTill = countsHeldTill(observed, conditions, now);
  const lookAt = isLapping ? now : isCurrent ? Infinity : now + BEHIND_MS;
  const wakeAt = Math.min(lookAt, heldTill ?? Infinity);
  return {
    writes,
    ...(heldTill === undefined && { status: { ...namespace.status, conditions } }),
    statusOnFailure: ({ message }) => ({
      ...namespace.status,
      conditions: terminationConditions(namespace.status?.conditions, left, [message], now),
    }),
    ...(wakeAt < Infinity && { wakeAt }),
  };
}

/** Until when the status waits, because it would only say another number. A clock that was set back holds nothing. */
function countsHeldTill(
  { namespace, toldAt }: Observed,
  conditions: readonly Reasoned[],
  now: Instant,
): Instant | undefined {
  const isRecent = toldAt !== undefined && toldAt <= now && now < toldAt + COUNTS_MS;
  const old: readonly Reasoned[] = namespace.status?.conditions ?? [];
  return isRecent && equalJson(old.map(senseOf), conditions.map(senseOf))
    ? toldAt + COUNTS_MS
    : undefined;
}

type Reasoned = {
  readonly type: string;
  readonly status: string;
  readonly reason?: string | undefined;
};

const senseOf = ({ type, status, reason }: Reasoned): readonly unknown[] => [type, status, reason];

/** What is not being deleted yet, as much as one step takes; what is going waits for its own finalizers or its grace period. */
function deletes(content: readonly (readonly [Kind, Left])[]): PlannedWrite[] {
  const writes: PlannedWrite[] = [];
  for (const [kind, { untouched }] of content)
    for (const object of untouched) {
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
