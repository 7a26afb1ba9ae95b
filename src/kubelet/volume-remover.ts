import { backoffMs, type BackoffLimits } from "../base/backoff.ts";
import type { Clock, Timer } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import { Node } from "../api/core/node.ts";
import {
  formatRemoval,
  REMOVAL_PREFIX,
  removalsOf,
  type Removal,
} from "../api/storage/own-volumes.ts";
import type { Client } from "../client/client.ts";
import type { V1Node } from "../gen/types.ts";

/** Waits after a folder could not be removed, or the API not told. Doubling the ceiling doubles how long a released volume stays. */
const LIMITS: BackoffLimits = { firstMs: 1000, ceilingMs: 60_000 };

/** What the remover stands on. */
export interface RemoverParts {
  readonly client: Client;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly nodeName: string;
  /** Removes the folder of one of the cluster's own volumes. */
  readonly remove: (handle: string) => Promise<void>;
  /** The Node as the API has it now. */
  readonly node: () => V1Node | undefined;
}

/**
 * Removes folders of released volumes when annotations of the Node ask for it, and says there that it did.
 *
 * Why annotations: a node needs no right on volumes for that, only the one on its own Node. One at a time: nobody waits for it.
 */
export class VolumeRemover {
  readonly #parts: RemoverParts;
  /** Told as removed, while the Node as it is known still asks for it. */
  #told: ReadonlySet<string> = new Set();
  #isBusy = false;
  /** Of volumes that are asked for and could not be removed yet. */
  #failures: ReadonlyMap<string, number> = new Map();
  /** Until a volume is tried again; the others go on. */
  readonly #timers = new Map<string, Timer>();
  #isClosed = false;

  constructor(parts: RemoverParts) {
    this.#parts = parts;
  }

  /** Looks what the Node asks for. Never throws. */
  look(): void {
    if (this.#isBusy || this.#isClosed) return;
    const asked = removalsOf(this.#parts.node()).filter(({ isDone }) => !isDone);
    this.#told = new Set(asked.map(({ volume }) => volume).filter((name) => this.#told.has(name)));
    this.#failures = new Map(
      asked.flatMap(({ volume }) => {
        const count = this.#failures.get(volume);
        return count === undefined ? [] : [[volume, count]];
      }),
    );
    const wanted = asked.find(({ volume }) => !this.#told.has(volume) && !this.#timers.has(volume));
    if (!wanted) return;
    this.#isBusy = true;
    void this.#remove(wanted);
  }

  close(): void {
    this.#isClosed = true;
    for (const timer of this.#timers.values()) timer.cancel();
  }

  async #remove({ volume, handle }: Removal): Promise<void> {
    const { client, clock, logger, nodeName, remove } = this.#parts;
    try {
      await remove(handle);
      const text = formatRemoval({ handle, isDone: true });
      const annotations = { [`${REMOVAL_PREFIX}${volume}`]: text };
      await client.patch(
        Node,
        { name: nodeName },
        { type: "merge", body: { metadata: { annotations } } },
      );
      logger.info("a released volume was removed", { volume });
      this.#told = new Set(this.#told).add(volume);
    } catch (error) {
      logger.warning("a released volume was not removed", { volume, error: String(error) });
      const failures = (this.#failures.get(volume) ?? 0) + 1;
      this.#failures = new Map(this.#failures).set(volume, failures);
      const again = (): void => {
        this.#timers.delete(volume);
        this.look();
      };
      if (!this.#isClosed)
        this.#timers.set(volume, clock.after(backoffMs(LIMITS, failures), again));
    } finally {
      this.#isBusy = false;
    }
    this.look();
  }
}
