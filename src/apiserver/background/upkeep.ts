import { parseTime, type Timer } from "../../base/clock.ts";
import type { KubeObject } from "../../api/machinery/object.ts";
import { Closed, type Revision } from "../../store/store.ts";
import type { ServerParts } from "../parts.ts";
import type { ObjectVersion } from "../registry/object-version.ts";
import { createPredicate } from "../registry/predicate.ts";
import { ViewCursor } from "../registry/version-cursor.ts";
import { turnsOf } from "../../base/turns.ts";

/** Milliseconds between compactions; history is kept for one to two of these. @spec DefaultCompactInterval */
const COMPACT_MS = 5 * 60_000;
/** Events live this long after they were last seen, in milliseconds. @spec kube-apiserver --event-ttl */
const EVENT_TTL_MS = 60 * 60_000;
/** How often expired Events are looked for, in milliseconds: they live at most this much longer. */
const EXPIRE_MS = 60_000;
/** Events removed in one round, about. */
const EXPIRE_MAX = 500;
/** Events looked at between two looks at the clock. */
const EXPIRE_STEP = 256;

/** Something to do again and again. A failure is logged and tried again after the same time. */
export interface UpkeepTask {
  readonly periodMs: number;
  /** Before the first time; default: as between two. */
  readonly firstMs?: number;
  run(): Promise<void>;
}

/** What the server does by itself: compacts the store, removes old Events, `tasks`. @returns ends it */
export function startUpkeep(parts: ServerParts, tasks: readonly UpkeepTask[]): () => void {
  const stops = [
    ...tasks.map(({ periodMs, firstMs, run }) => every(parts, periodMs, run, firstMs)),
    every(parts, COMPACT_MS, compactor(parts)),
    every(parts, EXPIRE_MS, () => expireEvents(parts)),
  ];
  return () => stops.forEach((stop) => stop());
}

function every(
  parts: ServerParts,
  periodMs: number,
  task: () => Promise<void>,
  firstMs = periodMs,
): () => void {
  let timer: Timer;
  let isStopped = false;
  const again = (delayMs = periodMs): void => {
    if (!isStopped) timer = parts.clock.after(delayMs, run);
  };
  const run = (): void => {
    task()
      .catch((error: unknown) => {
        if (error instanceof Closed) return;
        parts.logger.warning("upkeep failed; trying again later", { error: String(error) });
      })
      .finally(() => again());
  };
  again(firstMs);
  return () => {
    isStopped = true;
    timer.cancel();
  };
}

/** Compacts to where the store was one period ago, so that a listing under way keeps its revision. */
function compactor(parts: ServerParts): () => Promise<void> {
  let previous: Revision | undefined;
  return async () => {
    const target = previous;
    previous = parts.store.revision();
    if (target !== undefined) await parts.store.compact(target);
  };
}

interface EventTimes extends KubeObject {
  readonly lastTimestamp?: string | null;
  readonly eventTime?: string | null;
  readonly series?: { readonly lastObservedTime?: string };
}

async function expireEvents(parts: ServerParts): Promise<void> {
  const { cache, prefix } = parts.resources.find("", "v1", "events") ?? {};
  if (!cache || prefix === undefined) return;
  const oldest = parts.clock.now() - EVENT_TTL_MS;
  const cursor = new ViewCursor(
    cache.versions,
    createPredicate("", "", "", (object) => lastSeen(object) < oldest),
    "",
  );
  cursor.freeze();
  const slice = turnsOf(parts.clock).slice();
  const expired: ObjectVersion[] = [];
  while (!cursor.isDone && expired.length < EXPIRE_MAX) {
    expired.push(...cursor.next(EXPIRE_STEP));
    if (slice.isOver) await slice.next();
  }
  if (expired.length === 0) return;
  await Promise.all(
    expired.map(({ key, revision }) =>
      parts.store.commit([{ kind: "delete", key: prefix + key, expect: revision }]),
    ),
  );
}

function lastSeen(event: EventTimes): number {
  const { lastTimestamp, eventTime, series, metadata } = event;
  const times = [lastTimestamp, eventTime, series?.lastObservedTime, metadata?.creationTimestamp];
  return Math.max(0, ...times.map((time) => (time ? parseTime(time) || 0 : 0)));
}
