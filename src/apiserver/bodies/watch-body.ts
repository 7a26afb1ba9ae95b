import type { Clock, Timer } from "../../base/clock.ts";
import type { Status } from "../../api/machinery/status-error.ts";
import type { ByteSource } from "../../wire/http/byte-source.ts";
import type { EventReader } from "../registry/event-reader.ts";
import type { MatchedEvent } from "../registry/predicate.ts";
import type { ResourceCache } from "../registry/resource-cache.ts";
import type { Watcher } from "../registry/resource-watchers.ts";
import type { WatchCache } from "../registry/watch-cache.ts";

/** How the events of one watch look on the wire. */
export interface FrameEncoder {
  /** Equal for equal shapes: watches of one shape share their bytes. */
  readonly id: string;
  encode(events: readonly MatchedEvent[]): Buffer;
  /** `isInitialEnd`: the bookmark after the initial events. */
  bookmark(revision: number, isInitialEnd: boolean): Buffer;
  error(status: Status): Buffer;
}

export interface WatchOptions {
  readonly timeoutMs: number;
  /** Sends bookmarks every so often; absent: the client did not ask for any. */
  readonly bookmarkMs?: number;
  /** Marks the end of the initial events with a bookmark. */
  readonly marksInitialEnd: boolean;
  /** The answer to a watcher that the ring has overtaken. */
  readonly tooOld: () => Status;
}

/** Frees what the watch holds; called once, however it ends. */
export type WatchEnd = () => void;

/** A bookmark comes this long before the timeout, so that the next watch can begin where this one ended. */
const LAST_BOOKMARK_MS = 2000;

/**
 * The body of one watch: frames of events as they happen, until its timeout.
 *
 * Holds no frames: a client that does not read holds back nothing but itself.
 * @spec k8s@1.36 apiserver endpoints/handlers/watch.go; storage/cacher/cache_watcher.go (bookmarks)
 */
export class WatchBody implements ByteSource {
  readonly #all: WatchCache;
  readonly #cache: ResourceCache;
  readonly #reader: EventReader;
  readonly #encoder: FrameEncoder;
  readonly #options: WatchOptions;
  readonly #clock: Clock;
  readonly #onEnd: WatchEnd;
  #timers: Timer[] = [];
  #state: "open" | "last-bookmark" | "ended" = "open";
  #isBookmarkDue = false;
  #isClosed = false;
  #notify: () => void = () => {};
  readonly #watcher: Watcher = {
    wake: (first) => {
      this.#reader.wakeAt(first);
      this.#notify();
    },
  };

  constructor(
    all: WatchCache,
    cache: ResourceCache,
    reader: EventReader,
    encoder: FrameEncoder,
    options: WatchOptions,
    clock: Clock,
    onEnd: WatchEnd,
  ) {
    this.#all = all;
    this.#cache = cache;
    this.#reader = reader;
    this.#encoder = encoder;
    this.#options = options;
    this.#clock = clock;
    this.#onEnd = onEnd;
    cache.watchers.add(this.#watcher, reader.trigger);
    this.#startTimers();
  }

  get isWaiting(): boolean {
    return this.#state === "open" && this.#reader.isCaughtUp && !this.#isBookmarkDue;
  }

  onReadable(listener: () => void): void {
    this.#notify = listener;
  }

  read(): Buffer | undefined | null {
    if (this.#state === "ended") return null;
    const reading = this.#reader.read();
    if (this.#reader.isCaughtUp && !this.#reader.trigger && !this.#isClosed)
      this.#cache.watchers.sleep(this.#watcher);
    switch (reading.kind) {
      case "events":
        return this.#encoded(reading.events, reading.encoded);
      case "initial-end":
        return this.#options.marksInitialEnd
          ? this.#encoder.bookmark(this.#all.revision, true)
          : Buffer.alloc(0);
      case "too-old":
        this.#state = "ended";
        return this.#encoder.error(this.#options.tooOld());
      case "idle":
        return this.#idle();
    }
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#state = "ended";
    this.#cache.watchers.remove(this.#watcher, this.#reader.trigger);
    for (const timer of this.#timers) timer.cancel();
    this.#onEnd();
  }

  /** Ends at the next read, with a last bookmark where bookmarks were asked for. */
  finish(): void {
    if (this.#state !== "open") return;
    this.#state = "last-bookmark";
    this.#notify();
  }

  #idle(): Buffer | undefined | null {
    if (this.#state === "last-bookmark") {
      this.#state = "ended";
      return this.#options.bookmarkMs === undefined
        ? null
        : this.#encoder.bookmark(this.#all.revision, false);
    }
    if (!this.#isBookmarkDue) return undefined;
    this.#isBookmarkDue = false;
    return this.#encoder.bookmark(this.#all.revision, false);
  }

  #encoded(events: readonly MatchedEvent[], shared: Map<string, Buffer> | undefined): Buffer {
    if (events.length === 0) return Buffer.alloc(0);
    const encoder = this.#encoder;
    if (!shared) return encoder.encode(events);
    let bytes = shared.get(encoder.id);
    if (!bytes) shared.set(encoder.id, (bytes = encoder.encode(events)));
    return bytes;
  }

  #startTimers(): void {
    const { timeoutMs, bookmarkMs } = this.#options;
    this.#timers.push(this.#clock.after(timeoutMs, () => this.finish()));
    if (bookmarkMs === undefined) return;
    const bookmark = (): void => {
      this.#isBookmarkDue = true;
      this.#notify();
    };
    const repeat = (): void => {
      bookmark();
      this.#timers[1] = this.#clock.after(bookmarkMs, repeat);
    };
    this.#timers.push(this.#clock.after(bookmarkMs, repeat));
    if (timeoutMs > LAST_BOOKMARK_MS)
      this.#timers.push(this.#clock.after(timeoutMs - LAST_BOOKMARK_MS, bookmark));
  }
}
