import { jitteredBackoffMs, type BackoffLimits } from "../base/backoff.ts";
import { sleep, type Clock } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import type { Random } from "../base/random.ts";
import type { Kind } from "../api/machinery/kind.ts";
import type { KubeObject } from "../api/machinery/object.ts";
import { isStatusError } from "../api/machinery/status-error.ts";
import type { Client, ListOptions, WatchEvent } from "./client.ts";

/** After failures. @spec client-go reflector: 800 ms → 30 s. Doubling the ceiling doubles how stale a cache gets after an outage. */
const RETRY: BackoffLimits = { firstMs: 800, ceilingMs: 30_000 };
/** Objects of one page. @spec client-go pager defaultPageSize. Doubling doubles the largest answer in memory. */
const PAGE_OBJECTS = 500;

/** What part of a kind to follow. */
export type Selection = Pick<ListOptions, "namespace" | "labelSelector" | "fieldSelector">;

/** Who is told. `replace` comes first, and again whenever the past was lost. */
export interface ListWatchSink<T> {
  replace(objects: readonly T[], resourceVersion: string): void;
  apply(event: WatchEvent<T>): void;
}

/**
 * Where the machine stands.
 *
 * empty → listing (page by page) → watching; from watching back to empty when the server forgot the version.
 */
export type ListWatchState<T> =
  | { readonly kind: "empty" }
  | { readonly kind: "listing"; readonly objects: readonly T[]; readonly continue?: string }
  | { readonly kind: "watching"; readonly resourceVersion: string };

/**
 * Follows one kind: list, then watch from the list's version, and on from the last version seen; for ever.
 *
 * Guarantees: the sink sees every change once and in order, or a `replace` that makes up for those it missed.
 * Errors: none leave it. "Expired" starts over; anything else is tried again with backoff from the same state.
 * @spec client-go tools/cache reflector.go ListAndWatch
 */
export class ListWatch<T extends KubeObject> {
  readonly #client: Client;
  readonly #kind: Kind<T>;
  readonly #selection: Selection;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #logger: Logger;
  readonly #sink: ListWatchSink<T>;
  #failures = 0;

  constructor(
    client: Client,
    kind: Kind<T>,
    selection: Selection,
    clock: Clock,
    random: Random,
    logger: Logger,
    sink: ListWatchSink<T>,
  ) {
    this.#client = client;
    this.#kind = kind;
    this.#selection = selection;
    this.#clock = clock;
    this.#random = random;
    this.#logger = logger;
    this.#sink = sink;
  }

  /** Runs until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    let state: ListWatchState<T> = { kind: "empty" };
    while (!signal.aborted) state = await this.#tryStep(state, signal);
  }

  async #tryStep(state: ListWatchState<T>, signal: AbortSignal): Promise<ListWatchState<T>> {
    const progress = { state };
    try {
      const next = await this.#step(progress, signal);
      if (next.kind === "watching" && state.kind === "watching")
        await this.#pauseIfIdle(state, next, signal);
      else this.#failures = 0;
      return next;
    } catch (error) {
      if (signal.aborted) return state;
      if (isExpired(error)) return { kind: "empty" };
      const kind = this.#kind.plural;
      this.#logger.info("list or watch failed", { kind, state: state.kind, error: String(error) });
      await this.#pause(signal);
      return progress.state;
    }
  }

  /** A watch that ends without an event must not be asked for again and again at once. */
  async #pauseIfIdle(
    before: { readonly resourceVersion: string },
    after: { readonly resourceVersion: string },
    signal: AbortSignal,
  ): Promise<void> {
    if (before.resourceVersion === after.resourceVersion) await this.#pause(signal);
  }

  async #pause(signal: AbortSignal): Promise<void> {
    this.#failures++;
    const pauseMs = jitteredBackoffMs(RETRY, this.#failures, this.#random);
    await sleep(this.#clock, pauseMs, signal).catch(() => {});
  }

  /** `progress.state` moves on with every event, so that an error does not lose what came before it. */
  async #step(
    progress: { state: ListWatchState<T> },
    signal: AbortSignal,
  ): Promise<ListWatchState<T>> {
    const { state } = progress;
    switch (state.kind) {
      case "empty":
        return { kind: "listing", objects: [] };
      case "listing":
        return this.#list(state.objects, state.continue);
      case "watching":
        return this.#watch(state.resourceVersion, progress, signal);
    }
  }

  async #list(before: readonly T[], token: string | undefined): Promise<ListWatchState<T>> {
    const page = await this.#client.list(this.#kind, {
      ...this.#selection,
      limit: PAGE_OBJECTS,
      ...(token !== undefined && { continue: token }),
    });
    const objects = [...before, ...page.items];
    if (page.continue) return { kind: "listing", objects, continue: page.continue };
    this.#sink.replace(objects, page.resourceVersion);
    return { kind: "watching", resourceVersion: page.resourceVersion };
  }

  async #watch(
    from: string,
    progress: { state: ListWatchState<T> },
    signal: AbortSignal,
  ): Promise<ListWatchState<T>> {
    const options = { ...this.#selection, resourceVersion: from, bookmarks: true, signal };
    for await (const event of this.#client.watch(this.#kind, options)) {
      this.#failures = 0;
      this.#sink.apply(event);
      const resourceVersion =
        event.type === "BOOKMARK" ? event.resourceVersion : event.object.metadata?.resourceVersion;
      if (resourceVersion) progress.state = { kind: "watching", resourceVersion };
    }
    return progress.state;
  }
}

/** The version, or the token of the next page, is too old for the server. */
function isExpired(error: unknown): boolean {
  return isStatusError(error, "Expired") || isStatusError(error, "Gone");
}
