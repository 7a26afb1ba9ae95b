/** Layouts as Go names them: clients see them in messages. */
const LAYOUTS = {
  time: "2006-01-02T15:04:05Z07:00",
  microTime: "2006-01-02T15:04:05.000000Z07:00",
} as const;

/** A parsed time of the API in the form it is stored in, or upstream's message. */
export type CanonicalTime =
  { readonly text: string } | { readonly text?: never; readonly message: string };

const SECONDS_UTC = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;
const MICROS_UTC = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;

/**
 * Brings a time to UTC and to the precision of its kind: seconds (fractions are dropped), or exactly six digits.
 *
 * @spec k8s@1.36 apimachinery meta/v1 time.go, micro_time.go; Go's time.Parse
 */
export function canonicalTime(text: string, kind: "time" | "microTime"): CanonicalTime {
  const isPlain = (kind === "time" ? SECONDS_UTC : MICROS_UTC).test(text);
  if (isPlain && isCalendar(text)) return { text };
  const problem = findProblem(text, kind);
  if (problem !== undefined) return { message: `parsing time ${JSON.stringify(text)}${problem}` };
  const date = new Date(`${text.slice(0, 19)}${offsetOf(text)}`);
  const seconds = `${date.toISOString().slice(0, 19)}`;
  return { text: kind === "time" ? `${seconds}Z` : `${seconds}${text.slice(19, 26)}Z` };
}

const offsetOf = (text: string): string => /(Z|[+-]\d\d:\d\d)$/.exec(text)![1]!;

/** True when day, hour, minute and second exist; JavaScript's own parser takes the 31st of February. */
function isCalendar(text: string): boolean {
  return outOfRange(text) === undefined;
}

function outOfRange(text: string): string | undefined {
  const part = (from: number): number => Number(text.slice(from, from + 2));
  const [month, day] = [part(5), part(8)];
  if (month < 1 || month > 12) return "month";
  const daysMax = day <= 28 ? 28 : new Date(Date.UTC(yearOf(text), month, 0)).getUTCDate();
  if (part(11) > 23) return "hour";
  if (part(14) > 59) return "minute";
  if (part(17) > 59) return "second";
  return day < 1 || day > daysMax ? "day" : undefined;
}

const yearOf = (text: string): number => Number(text.slice(0, 4));

const PARTS: readonly (readonly [RegExp, string])[] = [
  [/^\d{4}/, "2006"],
  [/^-/, "-"],
  [/^\d\d/, "01"],
  [/^-/, "-"],
  [/^\d\d/, "02"],
  [/^T/, "T"],
  [/^\d\d/, "15"],
  [/^:/, ":"],
  [/^\d\d/, "04"],
  [/^:/, ":"],
  [/^\d\d/, "05"],
];

/** The rest of Go's message from the first part of the layout that the text does not follow. */
function findProblem(text: string, kind: "time" | "microTime"): string | undefined {
  const micros: [RegExp, string][] = [[/^\.\d{6}(?!\d)/, ".000000"]];
  // Go takes a fraction after the seconds even where the layout names none.
  const fraction: [RegExp, string][] = [[/^([.,]\d+)?/, ""]];
  const end: [RegExp, string][] = [[/^(Z|[+-]\d\d:\d\d)/, "Z07:00"]];
  const parts = [...PARTS, ...(kind === "time" ? fraction : micros), ...end];
  let rest = text;
  for (const [pattern, part] of parts) {
    const match = pattern.exec(rest);
    if (!match)
      return ` as "${LAYOUTS[kind]}": cannot parse ${JSON.stringify(rest)} as ${JSON.stringify(part)}`;
    rest = rest.slice(match[0].length);
  }
  const range = outOfRange(text);
  if (range) return `: ${range} out of range`;
  return rest === "" ? undefined : `: extra text: ${JSON.stringify(rest)}`;
}
