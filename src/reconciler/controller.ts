import type { Kind } from "../api/machinery/kind.ts";
import type { KubeObject, ObjectKey } from "../api/machinery/object.ts";
import type { Instant } from "../base/clock.ts";
import type { CacheChange, CacheReader } from "../client/cache.ts";
import type { MakeMeter } from "./loop-meter.ts";

/**
 * One controller: pure functions from what the caches hold to a plan. The runner owns everything else.
 *
 * @spec docs/STYLE.md "Controllers: one idiom for all"; docs/design/reconciler.md
 */
export interface Controller<Primary extends KubeObject = KubeObject, Observed = unknown> {
  /** Upstream's name: it is the service account, the event source and the metrics label. */
  readonly name: string;
  /** Where upstream's events of this controller name another source. */
  readonly eventSource?: string;
  readonly primary: Kind<Primary>;
  /** Other kinds whose changes concern keys of the primary kind. */
  readonly triggers: readonly Trigger[];
  /** The runner sets `status.observedGeneration` to the generation that was planned from. */
  readonly observesGeneration?: boolean;
  /** Metrics of its own, where somebody asks for metrics. */
  readonly meter?: MakeMeter;
  /** Cache only, no await. `undefined`: nothing to do for this key. */
  observe(cache: CacheReader, key: ObjectKey): Observed | undefined;
  /** Pure, synchronous, total. */
  plan(observed: Observed, now: Instant): Plan;
}

/**
 * A change of another kind, turned into keys of the primary kind. Kinds that only `observe` reads are triggers without
 * keys: naming them is what keeps their cache in step.
 */
export interface Trigger {
  readonly kind: Kind;
  /** Which keys of the primary kind a change concerns; duplicates are harmless. */
  keys(change: CacheChange, cache: CacheReader): readonly ObjectKey[];
}

/** What to do, as data. An empty plan means: nothing, until something changes. */
export interface Plan {
  /**
   * Applied in order; creates of one kind in a row go out in slow-start batches, deletes of one kind in a row together, and
   * so do patches of different objects.
   */
  readonly writes?: readonly PlannedWrite[];
  /** The whole new `status` of the primary object; written only when it differs. */
  readonly status?: object;
  /** The status to write instead when a write failed for another reason than a lost race. Pure. */
  readonly statusOnFailure?: (failure: WriteFailure) => object;
  readonly events?: readonly PlannedEvent[];
  /** Reconcile again no later than this, even if nothing changes. */
  readonly wakeAt?: Instant;
}

/** The first write that failed, and why. */
export interface WriteFailure {
  readonly write: PlannedWrite;
  readonly message: string;
}

export type PlannedWrite =
  | {
      readonly verb: "create";
      readonly kind: Kind;
      readonly object: KubeObject;
      /** Another one of that name is as good: no failure. */
      readonly mayExist?: boolean;
    }
  /** `object` carries the resourceVersion it was planned from. */
  | {
      readonly verb: "update";
      readonly kind: Kind;
      readonly object: KubeObject;
      readonly subresource?: "status" | "finalize" | "approval";
    }
  | {
      readonly verb: "patch";
      readonly kind: Kind;
      readonly key: ObjectKey;
      readonly patch: object;
      /** Default: merge. */
      readonly type?: "merge" | "strategic";
      readonly subresource?: "status";
      readonly ifUid?: string;
    }
  | {
      readonly verb: "delete";
      readonly kind: Kind;
      readonly key: ObjectKey;
      readonly ifUid: string;
      readonly ifResourceVersion?: string;
      readonly propagation?: "Orphan" | "Background" | "Foreground";
      readonly graceSeconds?: number;
    };

export interface PlannedEvent {
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
  /** Default: the primary object. */
  readonly regarding?: KubeObject;
  /** Emit only after the write at this index of `writes` succeeded; `{name}` in the message is the written object's name. */
  readonly afterWrite?: number;
  /** Emit only if that write failed; `{error}` is its message. */
  readonly onFailure?: boolean;
}

/** Retrying cannot help until something changes: thrown by a planner that meets a spec it can never satisfy. */
export class Terminal extends Error {
  override readonly name = "Terminal";
}

/** Checks the types and returns its argument. */
export function defineController<Primary extends KubeObject, Observed>(
  controller: Controller<Primary, Observed>,
): Controller<Primary, Observed> {
  return controller;
}
