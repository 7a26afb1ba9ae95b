/** The values that one field of a schedule allows. */
export interface CronField {
  readonly values: ReadonlySet<number>;
  /** It was `*` or `?`: with one of the two fields for days so, the other alone decides. */
  readonly isStar: boolean;
}

interface Bounds {
  readonly min: number;
  readonly max: number;
  readonly names?: readonly string[];
}

/** A text that is no schedule; the message is robfig/cron's, which clients see. */
export class NoSchedule extends Error {
  override readonly name = "NoSchedule";
}

const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/** Minute, hour, day of the month, month, day of the week. */
const BOUNDS: readonly Bounds[] = [
  { min: 0, max: 59 },
  { min: 0, max: 23 },
  { min: 1, max: 31 },
  { min: 1, max: 12, names: MONTHS },
  { min: 0, max: 6, names: WEEKDAYS },
];

/**
 * The five fields of a schedule in standard form.
 *
 * @throws {NoSchedule}
 * @spec robfig/cron v3 ParseStandard
 */
export function parseFields(text: string): readonly CronField[] {
  const words = text.split(/\s+/).filter((word) => word !== "");
  if (words.length !== BOUNDS.length) {
    const found = `found ${words.length}: [${words.join(" ")}]`;
    throw new NoSchedule(`expected exactly ${BOUNDS.length} fields, ${found}`);
  }
  return words.map((word, index) => parseField(word, BOUNDS[index]!));
}

/** `1,5-10/2`. */
function parseField(text: string, bounds: Bounds): CronField {
  const ranges = text
    .split(",")
    .filter((part) => part !== "")
    .map((part) => parseRange(part, bounds));
  return {
    values: new Set(ranges.flatMap(({ values }) => values)),
    isStar: ranges.some(({ isStar }) => isStar),
  };
}

/** `*`, `5`, `mon-fri`, `0-30/10`, `5/10` (from 5 to the end). A star with a step is a range as any other. */
function parseRange(text: string, bounds: Bounds): { values: number[]; isStar: boolean } {
  const [range = "", stepText, ...more] = text.split("/");
  const [low = "", high, ...rest] = range.split("-");
  const isAny = low === "*" || low === "?";
  if (!isAny && rest.length > 0) throw new NoSchedule(`too many hyphens: ${text}`);
  const start = isAny ? bounds.min : numberOf(low, bounds.names);
  let end = isAny ? bounds.max : high === undefined ? start : numberOf(high, bounds.names);
  if (more.length > 0) throw new NoSchedule(`too many slashes: ${text}`);
  const step = stepText === undefined ? 1 : numberOf(stepText);
  if (stepText !== undefined && high === undefined) end = bounds.max;
  check(start >= bounds.min, `beginning of range (${start}) below minimum (${bounds.min})`, text);
  check(end <= bounds.max, `end of range (${end}) above maximum (${bounds.max})`, text);
  check(start <= end, `beginning of range (${start}) beyond end of range (${end})`, text);
  check(step > 0, "step of range should be a positive number", text);
  const values: number[] = [];
  for (let value = start; value <= end; value += step) values.push(value);
  return { values, isStar: isAny && step === 1 };
}

function check(isRight: boolean, rule: string, text: string): void {
  if (!isRight) throw new NoSchedule(`${rule}: ${text}`);
}

function numberOf(text: string, names: readonly string[] = []): number {
  const named = names.indexOf(text.toLowerCase());
  if (named >= 0) return names === MONTHS ? named + 1 : named;
  if (!/^[+-]?\d+$/.test(text)) {
    const reason = `strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`;
    throw new NoSchedule(`failed to parse int from ${text}: ${reason}`);
  }
  const value = Number(text);
  if (value < 0) throw new NoSchedule(`negative number (${value}) not allowed: ${text}`);
  return value;
}
