import { PersistentVolume } from "../api/core/persistent-volume.ts";
import { PersistentVolumeClaim } from "../api/core/persistent-volume-claim.ts";
import type { KubeObject } from "../api/machinery/object.ts";
import type { Clock, Timer } from "../base/clock.ts";
import type { Client } from "../client/client.ts";
import type { V1Node, V1Pod } from "../gen/types.ts";
import { claimKey, type Claims } from "./claims.ts";
import {
  assumeVolumes,
  bindingState,
  forgetVolumes,
  planVolumes,
  type BindingState,
  type VolumePlan,
} from "./claims-binding.ts";

/** The volumes of a Pod that has a node, assumed and not yet written. */
export interface PendingVolumes {
  readonly pod: V1Pod;
  readonly plan: VolumePlan;
  readonly timeoutMs: number;
}

/** `gone`: so is the Pod. */
export type VolumesOutcome = "bound" | "gone" | { readonly problem: string };

interface Waiter {
  readonly pending: VolumesState;
  readonly resolve: (outcome: VolumesOutcome) => void;
  readonly timer: Timer;
}

interface VolumesState extends PendingVolumes {
  readonly written: Map<string, number>;
}

/**
 * Has the volumes of Pods bound before the Pods are: writes what was planned, and waits until the server says that all is bound.
 *
 * Guarantee: what was assumed for a Pod is given back when its volumes do not come.
 * @spec k8s@1.36 plugins/volumebinding Reserve, PreBind, Unreserve
 */
export class ClaimWrites {
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #claims: Claims;
  readonly #nodeOf: (name: string) => V1Node | undefined;
  /** By uid of their Pods. */
  readonly #waiters = new Map<string, Waiter>();
  /** Uids of Pods whose volumes are being bound and that have not gone meanwhile. */
  readonly #underWay = new Set<string>();

  constructor(
    client: Client,
    clock: Clock,
    claims: Claims,
    nodeOf: (name: string) => V1Node | undefined,
  ) {
    this.#client = client;
    this.#clock = clock;
    this.#claims = claims;
    this.#nodeOf = nodeOf;
  }

  /**
   * Counts what a Pod's claims need on a node as given. `undefined`: they need nothing. A problem: the node does not do any more,
   * and nothing is assumed. `timeoutMs` `null`: nobody cares.
   */
  assume(
    pod: V1Pod,
    node: string,
    timeoutMs: number | null,
  ): PendingVolumes | { readonly problem: string } | undefined {
    const object = timeoutMs === null ? undefined : this.#nodeOf(node);
    const plan = object && planVolumes(pod, object, this.#claims);
    if (!plan || timeoutMs === null) return undefined;
    if ("problem" in plan)
      return { problem: `running Reserve plugin "VolumeBinding": ${plan.problem}` };
    assumeVolumes(plan, this.#claims);
    return { pod, plan, timeoutMs };
  }

  /** Resolves when the Pod may be bound, or cannot be. */
  async bind({ pod, plan, timeoutMs }: PendingVolumes): Promise<VolumesOutcome> {
    const written = new Map<string, number>();
    const uid = pod.metadata?.uid ?? "";
    this.#underWay.add(uid);
    let outcome: VolumesOutcome = "gone";
    try {
      await this.#write(plan, written);
      if (this.#underWay.has(uid)) outcome = await this.#settled({ pod, plan, timeoutMs, written });
    } catch (error) {
      outcome = { problem: error instanceof Error ? error.message : String(error) };
    }
    if (!this.#underWay.delete(uid)) outcome = "gone";
    if (outcome !== "bound") forgetVolumes(plan, this.#claims);
    if (typeof outcome === "string") return outcome;
    const { problem } = outcome;
    return { problem: `running PreBind plugin "VolumeBinding": binding volumes: ${problem}` };
  }

  /** Something of storage is another now. */
  heed(): void {
    for (const [uid, { pending }] of this.#waiters) {
      const state = this.#state(pending);
      if (state !== "waiting") this.#end(uid, state);
    }
  }

  /** The Pod is gone: nobody needs its volumes. */
  cancel({ metadata }: V1Pod): void {
    const uid = metadata?.uid ?? "";
    this.#underWay.delete(uid);
    this.#end(uid, "gone");
  }

  close(): void {
    for (const { timer } of this.#waiters.values()) timer.cancel();
    this.#waiters.clear();
  }

  async #write({ volumes, claims }: VolumePlan, written: Map<string, number>): Promise<void> {
    for (const volume of volumes) {
      const answer = await this.#client.update(PersistentVolume, volume);
      written.set(volume.metadata?.name ?? "", revisionOf(answer));
    }
    for (const claim of claims) {
      const answer = await this.#client.update(PersistentVolumeClaim, claim);
      written.set(claimKey(claim), revisionOf(answer));
    }
  }

  #settled(pending: VolumesState): Promise<VolumesOutcome> {
    const state = this.#state(pending);
    if (state !== "waiting") return Promise.resolve(state);
    const uid = pending.pod.metadata?.uid ?? "";
    return new Promise((resolve) => {
      const late = (): void => this.#end(uid, { problem: "context deadline exceeded" });
      const timer = this.#clock.after(pending.timeoutMs, late);
      this.#waiters.set(uid, { pending, resolve, timer });
    });
  }

  #state({ plan, written }: VolumesState): BindingState {
    return bindingState(plan, written, this.#nodeOf(plan.node), this.#claims);
  }

  #end(uid: string, outcome: VolumesOutcome): void {
    const waiter = this.#waiters.get(uid);
    if (!waiter) return;
    this.#waiters.delete(uid);
    waiter.timer.cancel();
    waiter.resolve(outcome);
  }
}

function revisionOf({ metadata }: KubeObject): number {
  return Number(metadata?.resourceVersion);
}
