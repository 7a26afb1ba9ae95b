import { sleep, type Clock } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import { Pod } from "../api/core/pod.ts";
import { isStatusError } from "../api/machinery/status-error.ts";
import type { Client } from "../client/client.ts";
import type { V1Pod, V1PodStatus } from "../gen/types.ts";
import { backoffMs, type BackoffLimits } from "../base/backoff.ts";
import { isEqual } from "./status/is-equal.ts";

/** Waits after a status could not be written. */
const RETRY: BackoffLimits = { firstMs: 200, ceilingMs: 10_000 };

interface Pending {
  pod: V1Pod;
  wanted: V1PodStatus;
  /** What the API server has, as far as is known. */
  written: V1PodStatus | undefined;
  isWriting: boolean;
  readonly waiting: (() => void)[];
}

/**
 * Writes statuses of Pods: at once, one write of a Pod at a time, the newest only.
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
  }

  /** The Pod's status should be this. Writes nothing when the API server has it already. */
  set(pod: V1Pod, wanted: V1PodStatus): void {
    const uid = pod.metadata?.uid ?? "";
    const pending = this.#pods.get(uid) ?? {
      pod,
      wanted,
      written: pod.status,
      isWriting: false,
      waiting: [],
    };
    this.#pods.set(uid, pending);
    pending.pod = pod;
    pending.wanted = wanted;
    if (!pending.isWriting) void this.#write(pending);
  }

  /** Resolves when the API server has the newest status, or the Pod is gone. */
  written(uid: string): Promise<void> {
    const pending = this.#pods.get(uid);
    if (!pending?.isWriting) return Promise.resolve();
    return new Promise((resolve) => pending.waiting.push(resolve));
  }

  forget(uid: string): void {
    this.#pods.delete(uid);
  }

  close(): void {
    this.#closed.abort();
  }

  async #write(pending: Pending): Promise<void> {
    if (isEqual(pending.wanted, pending.written)) return;
    pending.isWriting = true;
    let failures = 0;
    while (!this.#closed.signal.aborted && !isEqual(pending.wanted, pending.written)) {
      const { pod, wanted } = pending;
      try {
        await this.#patch(pod, pending.written ?? {}, wanted);
        pending.written = wanted;
        failures = 0;
      } catch (error) {
        if (isStatusError(error, "NotFound") || isStatusError(error, "Conflict")) break;
        this.#logger.warning("pod status was not written", {
          pod: `${pod.metadata?.namespace}/${pod.metadata?.name}`,
          error: String(error),
        });
        await sleep(this.#clock, backoffMs(RETRY, ++failures), this.#closed.signal).catch(() => {});
      }
    }
    pending.isWriting = false;
    for (const resolve of pending.waiting.splice(0)) resolve();
  }

  /** Only what differs, so that conditions of others stay; the uid guards against a new Pod of the same name. */
  async #patch({ metadata }: V1Pod, from: V1PodStatus, to: V1PodStatus): Promise<void> {
    const { name = "", namespace = "", uid } = metadata ?? {};
    const status: Record<string, unknown> = {};
    const [old, next] = [from as Record<string, unknown>, to as Record<string, unknown>];
    for (const key of new Set([...Object.keys(old), ...Object.keys(next)]))
      if (!isEqual(old[key], next[key])) status[key] = next[key] ?? null;
    const body = { metadata: { uid }, status };
    const key = { namespace, name };
    await this.#client.patch(Pod, key, { type: "strategic", body }, { subresource: "status" });
  }
}
