import type { Instant } from "../../base/clock.ts";
import { TimeZone, type LocalTime } from "../../base/time-zone.ts";
import { NoSchedule, parseFields, type CronField } from "./cron-fields.ts";

/** When something is due, again and again. */
export interface Schedule {
  /** The first time after `instant`, in whole seconds; `undefined`: none within five years. */
  nextAfter(instant: Instant): Instant | undefined;
}

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

/** Years that are searched: 29 February on a given weekday may need longer, and never comes. @spec robfig/cron v3 */
const YEARS_MAX = 5;

const NAMED: Readonly<Record<string, string>> = {
  "@yearly": "0 0 1 1 *",
  "@annually": "0 0 1 1 *",
  "@monthly": "0 0 1 * *",
  "@weekly": "0 0 * * 0",
  "@daily": "0 0 * * *",
  "@midnight": "0 0 * * *",
  "@hourly": "0 * * * *",
};

/**
 * Reads a schedule: five fields, a name as `@hourly`, or `@every 1h30m`.
 *
 * @throws {NoSchedule} it is none.
 * @spec robfig/cron v3 ParseStandard
 */
export function parseSchedule(text: string, zone: TimeZone = TimeZone.utc): Schedule {
  if (text === "") throw new NoSchedule("empty spec string");
  const { rest, own } = withoutZone(text);
  if (!rest.startsWith("@")) return new FieldSchedule(parseFields(rest), own ?? zone);
  const named = Object.hasOwn(NAMED, rest) ? NAMED[rest] : undefined;
  if (named !== undefined) return new FieldSchedule(parseFields(named), own ?? zone);
  if (!rest.startsWith("@every ")) throw new NoSchedule(`unrecognized descriptor: ${rest}`);
  const delayMs = durationMs(rest.slice("@every ".length));
  if (delayMs === undefined) {
    const given = rest.slice("@every ".length);
    const reason = `time: invalid duration ${JSON.stringify(given)}`;
    throw new NoSchedule(`failed to parse duration ${rest}: ${reason}`);
  }
  return everyMs(delayMs);
}

/** A zone in the schedule itself: validation refuses it, what is stored may still have it. */
function withoutZone(text: string): { readonly rest: string; readonly own?: TimeZone } {
  const match = /^(?:CRON_)?TZ=(\S*)\s*(.*)$/s.exec(text);
  if (!match) return { rest: text };
  const own = TimeZone.find(match[1]!);
  if (!own)
    throw new NoSchedule(`provided bad location ${match[1]}: unknown time zone ${match[1]}`);
  return { rest: match[2]!, own };
}

/** At least a second, in whole seconds, from whatever time it is counted. */
function everyMs(delayMs: number): Schedule {
  const wholeMs = Math.max(1000, Math.floor(delayMs / 1000) * 1000);
  return { nextAfter: (instant) => Math.floor(instant / 1000) * 1000 + wholeMs };
}

const UNITS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: MINUTE_MS,
  h: HOUR_MS,
};

/** `1h30m`, `1.5h`; `undefined`: no duration. @spec Go time.ParseDuration */
function durationMs(text: string): number | undefined {
  const sign = text.startsWith("-") ? -1 : 1;
  const rest = text.replace(/^[+-]/, "");
  if (rest === "0") return 0;
  if (!/^(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|ms|s|m|h))+$/.test(rest)) return undefined;
  let sum = 0;
  for (const [, number, unit] of rest.matchAll(/(\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h)/g))
    sum += Number(number) * UNITS[unit!]!;
  return sign * sum;
}

/**
 * The next time is found field by field, from months to minutes; a field that runs over begins anew with the months.
 * Time runs on over a change of clocks: an hour that is left out has no run, one that comes twice has two, as far as the
 * hours are concerned.
 *
 * @spec robfig/cron v3 SpecSchedule.Next
 */
class FieldSchedule implements Schedule {
  readonly #minute: CronField;
  readonly #hour: CronField;
  readonly #day: CronField;
  readonly #month: CronField;
  readonly #weekday: CronField;
  readonly #zone: TimeZone;

  constructor(fields: readonly CronField[], zone: TimeZone) {
    [this.#minute, this.#hour, this.#day, this.#month, this.#weekday] = fields as [
      CronField,
      CronField,
      CronField,
      CronField,
      CronField,
    ];
    this.#zone = zone;
  }

  nextAfter(instant: Instant): Instant | undefined {
    const search = new Search(this.#zone, Math.floor(instant / 1000) * 1000 + 1000);
    const yearMax = search.local.year + YEARS_MAX;
    while (search.local.year <= yearMax) {
      if (!search.untilMonth(this.#month.values)) continue;
      if (!search.untilDay((local) => this.#isDay(local))) continue;
      if (!search.untilHour(this.#hour.values)) continue;
      if (!search.untilMinute(this.#minute.values)) continue;
      if (search.untilSecond()) return search.at;
    }
    return undefined;
  }

  /** When both fields are restricted, one of them is enough. */
  #isDay({ day, weekday }: LocalTime): boolean {
    const [isDay, isWeekday] = [this.#day.values.has(day), this.#weekday.values.has(weekday)];
    return this.#day.isStar || this.#weekday.isStar ? isDay && isWeekday : isDay || isWeekday;
  }
}

/** Moves forward. Each method returns false when its field ran over, so that those before it must be looked at again. */
class Search {
  readonly #zone: TimeZone;
  at: Instant;
  local: LocalTime;
  /** Once a field has moved, those below it stand at their beginning. */
  #hasMoved = false;

  constructor(zone: TimeZone, at: Instant) {
    this.#zone = zone;
    this.at = at;
    this.local = zone.localAt(at);
  }

  #move(at: Instant): void {
    this.at = at;
    this.local = this.#zone.localAt(at);
  }

  /** Called before a field moves for the first time. */
  #begin(at: () => Instant): void {
    if (this.#hasMoved) return;
    this.#hasMoved = true;
    this.#move(at());
  }

  untilMonth(months: ReadonlySet<number>): boolean {
    while (!months.has(this.local.month)) {
      this.#begin(() => this.#zone.instantOf(this.local.year, this.local.month, 1));
      const { year, month, day, hour } = this.local;
      this.#move(this.#zone.instantOf(year, month + 1, day, hour));
      if (this.local.month === 1) return false;
    }
    return true;
  }

  untilDay(isDay: (local: LocalTime) => boolean): boolean {
    while (!isDay(this.local)) {
      const { year, month, day } = this.local;
      this.#begin(() => this.#zone.instantOf(year, month, day));
      const now = this.local;
      this.#move(this.#zone.instantOf(now.year, now.month, now.day + 1, now.hour));
      // Where midnight is left out or comes twice: back to the first moment of the day.
      const { hour } = this.local;
      if (hour !== 0) this.#move(this.at + (hour > 12 ? 24 - hour : -hour) * HOUR_MS);
      if (this.local.day === 1) return false;
    }
    return true;
  }

  untilHour(hours: ReadonlySet<number>): boolean {
    while (!hours.has(this.local.hour)) {
      const { year, month, day, hour } = this.local;
      this.#begin(() => this.#zone.instantOf(year, month, day, hour));
      this.#move(this.at + HOUR_MS);
      if (this.local.hour === 0) return false;
    }
    return true;
  }

  untilMinute(minutes: ReadonlySet<number>): boolean {
    while (!minutes.has(this.local.minute)) {
      this.#begin(() => Math.floor(this.at / MINUTE_MS) * MINUTE_MS);
      this.#move(this.at + MINUTE_MS);
      if (this.local.minute === 0) return false;
    }
    return true;
  }

  /** Standard schedules are due at the full minute. */
  untilSecond(): boolean {
    if (this.local.second === 0) return true;
    this.#hasMoved = true;
    this.#move(this.at + (60 - this.local.second) * 1000);
    return false;
  }
}
