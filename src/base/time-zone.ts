import type { Instant } from "./clock.ts";

/** Offsets change at full quarters of an hour only. */
const QUARTER_MS = 900_000;
/** Offsets remembered of a zone, one for each quarter that was asked for. Doubling doubles 200 kB for each zone in use. */
const KNOWN_MAX = 4096;

/** A date and time of day as clocks of a zone show it. Months count from 1, days of the week from Sunday, 0. */
export interface LocalTime {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly weekday: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
}

/**
 * What clocks show somewhere, from the zone data that comes with Node.
 *
 * Names are those of the IANA data base, in any case.
 */
export class TimeZone {
  static readonly utc = new TimeZone(undefined);
  static readonly #known = new Map<string, TimeZone>();

  readonly #format: Intl.DateTimeFormat | undefined;
  readonly #offsets = new Map<number, number>();

  private constructor(format: Intl.DateTimeFormat | undefined) {
    this.#format = format;
  }

  /** `undefined`: there is no such zone. */
  static find(name: string): TimeZone | undefined {
    const id = name.toLowerCase();
    if (id === "utc") return TimeZone.utc;
    const known = TimeZone.#known.get(id);
    if (known) return known;
    const format = formatOf(name);
    if (!format) return undefined;
    const zone = new TimeZone(format);
    TimeZone.#known.set(id, zone);
    return zone;
  }

  /** By how much clocks are ahead of UTC, in ms. */
  offsetMsAt(instant: Instant): number {
    if (!this.#format) return 0;
    const quarter = Math.floor(instant / QUARTER_MS);
    const known = this.#offsets.get(quarter);
    if (known !== undefined) return known;
    const second = Math.floor(instant / 1000) * 1000;
    const offset = wallOf(this.#format.format(second)) - second;
    if (this.#offsets.size >= KNOWN_MAX) this.#offsets.clear();
    this.#offsets.set(quarter, offset);
    return offset;
  }

  localAt(instant: Instant): LocalTime {
    const shifted = new Date(instant + this.offsetMsAt(instant));
    return {
      year: shifted.getUTCFullYear(),
      month: shifted.getUTCMonth() + 1,
      day: shifted.getUTCDate(),
      weekday: shifted.getUTCDay(),
      hour: shifted.getUTCHours(),
      minute: shifted.getUTCMinutes(),
      second: shifted.getUTCSeconds(),
    };
  }

  /**
   * When clocks show this. Months and days may lie beyond their year or month, and run over. Of a time that comes twice
   * the one with the offset of before the change; of one that is left out, a time as far behind the change.
   *
   * @spec Go time.Date
   */
  instantOf(year: number, month: number, day: number, hour = 0): Instant {
    const wall = Date.UTC(year, month - 1, day, hour);
    const first = wall - this.offsetMsAt(wall);
    return wall - this.offsetMsAt(first);
  }

  /** RFC 3339 with the zone's offset; `Z` without one. */
  formatAt(instant: Instant): string {
    const offsetMinutes = Math.round(this.offsetMsAt(instant) / 60_000);
    const text = new Date(instant + offsetMinutes * 60_000).toISOString().slice(0, 19);
    if (offsetMinutes === 0) return `${text}Z`;
    const size = Math.abs(offsetMinutes);
    const two = (value: number): string => String(value).padStart(2, "0");
    return `${text}${offsetMinutes < 0 ? "-" : "+"}${two(Math.floor(size / 60))}:${two(size % 60)}`;
  }
}

function formatOf(timeZone: string): Intl.DateTimeFormat | undefined {
  const numeric = "numeric";
  const fields = { year: numeric, month: numeric, day: numeric, hour: numeric, minute: numeric, second: numeric } as const; // prettier-ignore
  try {
    return new Intl.DateTimeFormat("en-US", { timeZone, hourCycle: "h23", ...fields });
  } catch {
    return undefined;
  }
}

/** `12/31/1969, 19:00:00` as if it were UTC. */
function wallOf(text: string): number {
  const [month, day, year, hour, minute, second] = text.match(/\d+/g)!.map(Number);
  return Date.UTC(year!, month! - 1, day, hour, minute, second);
}
