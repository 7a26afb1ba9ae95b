import { setMaxListeners } from "node:events";
import { sleep, type Clock, type Timer } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import { Pod } from "../api/core/pod.ts";
import { isStatusError } from "../api/machinery/status-error.ts";
import type { Client } from "../client/client.ts";
import type { V1Pod, V1PodStatus } from "../gen/types.ts";
import { backoffMs, type BackoffLimits } from "../base/backoff.ts";
import { equalJson } from "../api/machinery/equality.ts";
import { statusPatch } from "./status/status-patch.ts";
import { isUrgent } from "./status/urgency.ts";

/**
 * Longest wait of the first word about a Pod, in ms: one that starts meanwhile costs one write instead of three. Doubled, a Pod
 * whose image is pulled shows that much later that it is.
 */
const LEISURE_MS = 400;

/**
 * Of what a starting Pod has reached after that (a sandbox, an address), in ms: where many start at once, each takes longer than the wait above.
 * Doubled, an address shows that much later while a large image is pulled.
 */
const PROGRESS_MS = 2000;

/**
 * Wait before what somebody else has put into a status is put right, in ms: two who disagree must not write for ever
 * without a pause. Doubled, a Pod whose node was thought dead is ready again that much later.
 */
const DISPUTE_MS = 2000;

/** Waits after a status could not be written. */
const RETRY: BackoffLimits = { firstMs: 200, ceilingMs: 10_000 };

interface Pending {
  pod: V1Pod;
  wanted: V1PodStatus;
  /** What the API server has, as far as is known. */
  written: V1PodStatus | undefined;
  /** The Pod as our last write left it, or as it was first seen. */
  known: V1Pod;
  isWriting: boolean;
  /** Runs while a status may wait. */
  leisure: Timer | undefined;
  readonly waiting: (() => void)[];
}

/**
 * Writes statuses of Pods: one write of a Pod at a time, the newest only; at once where somebody may act upon it.
 *
 * @spec k8s@1.36 pkg/kubelet/status/status_manager.go
 */
export class StatusWriter {
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #pods = new Map<string, Pending>();
  readonly #closed = new AbortController();

  constructor(client: Client, clock: Clock, logger: Logger) {
    this.#client = client;
    this.#clock = clock;
    this.#logger = logger;
    // One for each Pod whose status could not be written: many are no leak.
    setMaxListeners(0, this.#closed.signal);
  }

  /** The Pod's status should be this. Writes nothing when the API server has it already. */
  set(pod: V1Pod, wanted: V1PodStatus): void {
    const uid = pod.metadata?.uid ?? "";
    const pending = this.#pods.get(uid) ?? {
      pod,
      wanted,
      written: pod.status,
      known: pod,
      isWriting: false,
      leisure: undefined,
      waiting: [],
    };
    this.#pods.set(uid, pending);
    pending.pod = pod;
    pending.wanted = wanted;
    if (pending.isWriting) return;
    const isDisputed = hasForeignStatus(pending);
    if (isDisputed) pending.written = pod.status;
    if (equalJson(wanted, pending.written)) return;
    if (isDisputed)
      pending.leisure ??= this.#clock.after(DISPUTE_MS, () => void this.#write(pending));
    else if (pod.metadata?.deletionTimestamp !== undefined || isUrgent(pending.written, wanted))
      void this.#write(pending);
    else pending.leisure ??= this.#clock.after(leisureMs(pending), () => void this.#write(pending));
  }

  /** Resolves when the API server has the newest status, or the Pod is gone. */
  written(uid: string): Promise<void> {
    const pending = this.#pods.get(uid);
    if (!pending) return Promise.resolve();
    if (pending.leisure) void this.#write(pending);
    if (!pending.isWriting) return Promise.resolve();
    return new Promise((resolve) => pending.waiting.push(resolve));
  }

  forget(uid: string): void {
    this.#pods.get(uid)?.leisure?.cancel();
    this.#pods.delete(uid);
  }

  close(): void {
    this.#closed.abort();
    for (const { leisure } of this.#pods.values()) leisure?.cancel();
  }

  async #write(pending: Pending): Promise<void> {
    pending.leisure?.cancel();
    pending.leisure = undefined;
    if (pending.isWriting || equalJson(pending.wanted, pending.written)) return;
    pending.isWriting = true;
    let failures = 0;
    while (!this.#closed.signal.aborted && !equalJson(pending.wanted, pending.written)) {
      const { pod, wanted } = pending;
      try {
        pending.known = await this.#patch(pod, pending.written ?? {}, wanted);
        pending.written = wanted;
        failures = 0;
      } catch (error) {
        if (isStatusError(error, "NotFound")) break;
        const isConflict = isStatusError(error, "Conflict");
        // A uid that is another's is an invalid field to the server.
        if ((isConflict || isStatusError(error, "Invalid")) && !(await this.#isThere(pod))) break;
        failures++;
        // Others were faster a few times over; what differs is the same, so it is said again at once.
        if (isConflict && failures === 1) continue;
        this.#logger.warning("pod status was not written", {
          pod: `${pod.metadata?.namespace}/${pod.metadata?.name}`,
          error: String(error),
        });
        await sleep(this.#clock, backoffMs(RETRY, failures), this.#closed.signal).catch(() => {});
      }
    }
    pending.isWriting = false;
    for (const resolve of pending.waiting.splice(0)) resolve();
  }

  /** Whether that very Pod still exists; true where nobody can tell. */
  async #isThere({ metadata }: V1Pod): Promise<boolean> {
    const { name = "", namespace = "", uid } = metadata ?? {};
    try {
      return (await this.#client.get(Pod, { namespace, name })).metadata?.uid === uid;
    } catch (error) {
      return !isStatusError(error, "NotFound");
    }
  }

  /** The uid guards against a new Pod of the same name. */
  async #patch({ metadata }: V1Pod, from: V1PodStatus, to: V1PodStatus): Promise<V1Pod> {
    const { name = "", namespace = "", uid } = metadata ?? {};
    const body = { metadata: { uid }, status: statusPatch(from, to) };
    const key = { namespace, name };
    return this.#client.patch(Pod, key, { type: "strategic", body }, { subresource: "status" });
  }
}

/**
 * The API server has a later version of the Pod than our last write made, and its status is another: the node's life-cycle
 * controller, for one, marks Pods of silent nodes not ready.
 */
function hasForeignStatus({ pod, known }: Pending): boolean {
  const [later, ours] = [pod.metadata?.resourceVersion, known.metadata?.resourceVersion];
  return Number(later) > Number(ours) && !equalJson(pod.status, known.status);
}

/** How long a status may wait that nobody acts upon. */
function leisureMs({ written, wanted }: Pending): number {
  const isStarting = wanted.phase === "Pending" && written?.containerStatuses !== undefined;
  return isStarting ? PROGRESS_MS : LEISURE_MS;
}
