import { sleep, type Clock } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import type { RuntimeEvent } from "../wire/cri/cri-client.ts";
import type { PodRuntime } from "./runtime/pod-runtime.ts";

/** Pause before the runtime's events are asked for again, in ms. Doubled, deaths during its restart show that much later. */
const RETRY_MS = 500;

/** Events of containers that no Pod is known to have yet: they were just made, and their Pod will ask. */
const UNMATCHED_MAX = 1000;

/** Opens the runtime's stream of events; it ends by an error, or when `signal` aborts. */
export type WatchRuntime = (signal: AbortSignal) => AsyncIterable<RuntimeEvent>;

/** Finds the Pod that a runtime's event concerns. */
export class RuntimeEvents {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #onPod: (uid: string, endedId: string | undefined) => void;
  readonly #onLost: () => void;
  readonly #owners = new Map<string, string>();
  readonly #idsOf = new Map<string, readonly string[]>();
  readonly #unmatched = new Set<string>();

  /** `onLost`: events may have been missed, so everything must be read again. */
  constructor(
    clock: Clock,
    logger: Logger,
    onPod: (uid: string, endedId: string | undefined) => void,
    onLost: () => void,
  ) {
    this.#clock = clock;
    this.#logger = logger;
    this.#onPod = onPod;
    this.#onLost = onLost;
  }

  /** Follows the stream until `signal` aborts. */
  async run(watch: WatchRuntime, signal: AbortSignal): Promise<void> {
    let isFirst = true;
    while (!signal.aborted) {
      try {
        if (!isFirst) this.#onLost();
        isFirst = false;
        for await (const event of watch(signal)) this.#dispatch(event);
      } catch (error) {
        if (!signal.aborted)
          this.#logger.warning("runtime events broke off", { error: String(error) });
      }
      await sleep(this.#clock, RETRY_MS, signal).catch(() => {});
    }
  }

  /** These ids belong to this Pod now. What happened to them before this was known is told at once. */
  own(uid: string, { sandboxes, containers }: PodRuntime): void {
    const ids = [...sandboxes, ...containers].map(({ id }) => id);
    for (const id of this.#idsOf.get(uid) ?? []) if (!ids.includes(id)) this.#owners.delete(id);
    this.#idsOf.set(uid, ids);
    for (const id of ids) {
      this.#owners.set(id, uid);
      if (this.#unmatched.delete(id)) this.#onPod(uid, id);
    }
  }

  forget(uid: string): void {
    for (const id of this.#idsOf.get(uid) ?? []) this.#owners.delete(id);
    this.#idsOf.delete(uid);
  }

  #dispatch({ id, type }: RuntimeEvent): void {
    if (type === "lost") return this.#onLost();
    const uid = this.#owners.get(id);
    if (uid !== undefined) {
      if (type !== "started") this.#onPod(uid, type === "exited" ? id : undefined);
      return;
    }
    if (type !== "exited") return;
    this.#unmatched.add(id);
    const [oldest] = this.#unmatched;
    if (this.#unmatched.size > UNMATCHED_MAX) this.#unmatched.delete(oldest!);
  }
}
