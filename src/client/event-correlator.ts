import type { Instant } from "../base/clock.ts";
import { Recent } from "../base/recent.ts";

/** Similar events of one object within {@link WINDOW_MS} before they become one "combined" event. @spec client-go record defaultAggregateMaxEvents */
const SIMILAR_MAX = 10;
/** @spec client-go record defaultAggregateIntervalInSeconds */
const WINDOW_MS = 600_000;
/** Events of one object and source that may come in a burst. @spec client-go record defaultSpamBurst */
const BURST_MAX = 25;
/** One more each five minutes. @spec client-go record defaultSpamQPS */
const REFILL_MS = 300_000;
/** Things remembered of each sort, and up to twice as many; those unused for longest are forgotten. @spec client-go record maxLruCacheEntries */
const REMEMBERED_MAX = 4096;

/** Between the parts of a key: no name, type or reason has it, and a message comes last. */
export const PART = "\u0000";

/** What tells one event from another. */
export interface EventIdentity {
  /** Source and regarded object, as one text. */
  readonly subject: string;
  readonly type: string;
  readonly reason: string;
  readonly message: string;
}

export type Correlated =
  | { readonly kind: "drop" }
  /** `message` differs from the event's own when similar ones were combined. */
  | { readonly kind: "create"; readonly key: string; readonly message: string }
  | {
      readonly kind: "count";
      readonly key: string;
      readonly message: string;
      readonly name: string;
      readonly count: number;
    };

interface Seen {
  readonly name: string;
  readonly count: number;
}

/**
 * Decides whether an event is new, a repetition, part of a flood of similar ones, or spam.
 *
 * Steps, in upstream's order: (1) aggregate: the eleventh different message of one subject, type and reason within ten
 * minutes goes under one combined event; (2) count: the same event again raises a counter; (3) spam filter: a token
 * bucket for each subject.
 * @spec k8s@1.36 client-go tools/record/events_cache.go EventCorrelate
 */
export class EventCorrelator {
  readonly #similar = new Recent<string, { messages: string[]; at: Instant }>(REMEMBERED_MAX);
  readonly #seen = new Recent<string, Seen>(REMEMBERED_MAX);
  readonly #buckets = new Recent<string, { tokens: number; at: Instant }>(REMEMBERED_MAX);

  correlate(event: EventIdentity, now: Instant): Correlated {
    const { key, message } = this.#aggregate(event, now);
    const seen = this.#seen.get(key);
    if (!this.#hasToken(event.subject, now)) {
      if (seen) this.#seen.set(key, { ...seen, count: seen.count + 1 });
      return { kind: "drop" };
    }
    if (!seen) return { kind: "create", key, message };
    const { name, count } = seen;
    this.#seen.set(key, { name, count: count + 1 });
    return { kind: "count", key, message, name, count: count + 1 };
  }

  /** The event with this key was written. */
  created(key: string, name: string): void {
    this.#seen.set(key, { name, count: this.#seen.get(key)?.count ?? 1 });
  }

  /** The event with this key is gone from the server. */
  gone(key: string): void {
    this.#seen.delete(key);
  }

  #aggregate(event: EventIdentity, now: Instant): { key: string; message: string } {
    const group = event.subject + PART + event.type + PART + event.reason;
    const known = this.#similar.get(group);
    const isFresh = known !== undefined && now - known.at <= WINDOW_MS;
    const messages = isFresh ? known.messages : [];
    if (!messages.includes(event.message)) messages.push(event.message);
    this.#similar.set(group, { messages, at: now });
    if (messages.length < SIMILAR_MAX)
      return { key: group + PART + event.message, message: event.message };
    messages.shift();
    return { key: group, message: `(combined from similar events): ${event.message}` };
  }

  #hasToken(subject: string, now: Instant): boolean {
    const bucket = this.#buckets.get(subject) ?? { tokens: BURST_MAX, at: now };
    const tokens = Math.min(BURST_MAX, bucket.tokens + (now - bucket.at) / REFILL_MS);
    const isGranted = tokens >= 1;
    this.#buckets.set(subject, { tokens: isGranted ? tokens - 1 : tokens, at: now });
    return isGranted;
  }
}
