import { parseTime } from "../../base/clock.ts";
import type { Instant } from "../../base/clock.ts";

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const YEAR = 365 * DAY;

/**
 * A duration in two or three significant figures: `3m51s`, `7h5m`, `179d`.
 *
 * Up to two seconds in the future count as now, for clocks that differ; more is `<invalid>`.
 * @spec k8s@1.36 apimachinery util/duration HumanDuration
 */
export function humanDuration(durationMs: number): string {
  const seconds = Math.trunc(durationMs / 1000);
  if (Number.isNaN(seconds) || seconds < -1) return "<invalid>";
  if (seconds < 2 * MINUTE) return `${Math.max(seconds, 0)}s`;
  if (seconds < 10 * MINUTE) return pair(seconds, MINUTE, "m", 1, "s");
  if (seconds < 3 * HOUR) return `${Math.trunc(seconds / MINUTE)}m`;
  if (seconds < 8 * HOUR) return pair(seconds, HOUR, "h", MINUTE, "m");
  if (seconds < 2 * DAY) return `${Math.trunc(seconds / HOUR)}h`;
  if (seconds < 8 * DAY) return pair(seconds, DAY, "d", HOUR, "h");
  if (seconds < 2 * YEAR) return `${Math.trunc(seconds / DAY)}d`;
  if (seconds < 8 * YEAR) return pair(seconds, YEAR, "y", DAY, "d");
  return `${Math.trunc(seconds / YEAR)}y`;
}

/** `3m51s`, or `3m` when nothing is left over. */
function pair(
  seconds: number,
  big: number,
  bigName: string,
  small: number,
  smallName: string,
): string {
  const rest = Math.trunc((seconds % big) / small);
  const head = `${Math.trunc(seconds / big)}${bigName}`;
  return rest === 0 ? head : `${head}${rest}${smallName}`;
}

/** A duration in one figure: `3m`, `7h`, `179d`. @spec k8s@1.36 apimachinery util/duration ShortHumanDuration */
export function shortHumanDuration(durationMs: number): string {
  const seconds = Math.trunc(durationMs / 1000);
  if (Number.isNaN(seconds) || seconds < -1) return "<invalid>";
  if (seconds < MINUTE) return `${Math.max(seconds, 0)}s`;
  if (seconds < HOUR) return `${Math.trunc(seconds / MINUTE)}m`;
  if (seconds < DAY) return `${Math.trunc(seconds / HOUR)}h`;
  if (seconds < YEAR) return `${Math.trunc(seconds / DAY)}d`;
  return `${Math.trunc(seconds / YEAR)}y`;
}

/** How long ago `timestamp` was, as AGE columns show it; `<unknown>` without one. @spec printers translateTimestampSince */
export function translateTimestampSince(timestamp: string | undefined, now: Instant): string {
  return timestamp ? humanDuration(now - parseTime(timestamp)) : "<unknown>";
}

/** How long until `timestamp`; `<unknown>` without one. @spec printers translateTimestampUntil */
export function translateTimestampUntil(timestamp: string | undefined, now: Instant): string {
  return timestamp ? humanDuration(parseTime(timestamp) - now) : "<unknown>";
}
