import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { TimeZone } from "../../base/time-zone.ts";
import { parseSchedule } from "./cron-schedule.ts";

/** The next three times after `from`, as the zone's clocks show them. */
function next(schedule: string, from: string, zone = "UTC", count = 1): string {
  const place = TimeZone.find(zone)!;
  const parsed = parseSchedule(schedule, place);
  let at: number | undefined = Date.parse(from);
  const times: string[] = [];
  while (times.length < count && at !== undefined) {
    at = parsed.nextAfter(at);
    times.push(at === undefined ? "never" : place.formatAt(at).replace(/:00(Z|[+-])/, "$1"));
  }
  return times.join(" ");
}

const MONDAY = "2012-07-09T14:45:00Z";
const NEW_YORK = "America/New_York";

//    schedule, after, zone, next times
const ROWS: readonly (readonly [string, string, string, string])[] = [
  ["* * * * *", MONDAY, "UTC", "2012-07-09T14:46Z"],
  ["* * * * *", "2012-07-09T14:45:59.9Z", "UTC", "2012-07-09T14:46Z"],
  ["0/15 * * * *", MONDAY, "UTC", "2012-07-09T15:00Z 2012-07-09T15:15Z"],
  ["5/15 * * * *", MONDAY, "UTC", "2012-07-09T14:50Z 2012-07-09T15:05Z"],
  ["20-35/15 * * * *", "2012-07-09T15:45:00Z", "UTC", "2012-07-09T16:20Z 2012-07-09T16:35Z"],
  ["*/15 * * * *", "2012-07-09T23:46:00Z", "UTC", "2012-07-10T00:00Z"],
  ["0 0 9 Apr-Oct ?", "2012-07-09T23:35:00Z", "UTC", "2012-08-09T00:00Z"],
  ["0 0 * Feb Mon", "2012-07-09T23:35:00Z", "UTC", "2013-02-04T00:00Z"],
  ["* * * * *", "2012-12-31T23:59:45Z", "UTC", "2013-01-01T00:00Z"],
  ["0 0 29 2 *", MONDAY, "UTC", "2016-02-29T00:00Z"],
  ["0 0 30 2 *", MONDAY, "UTC", "never"],
  ["30 8 ? Jul Sun", MONDAY, "UTC", "2012-07-15T08:30Z"],
  ["0 9-17/4 * * mon-fri", "2012-07-06T14:00:00Z", "UTC", "2012-07-06T17:00Z 2012-07-09T09:00Z"],
  // Days of the month and of the week: one is enough when both are restricted.
  ["0 0 1,15 * Sun", "2012-07-09T00:00:00Z", "UTC", "2012-07-15T00:00Z 2012-07-22T00:00Z 2012-07-29T00:00Z 2012-08-01T00:00Z"], // prettier-ignore
  ["0 0 1,15 * *", "2012-07-09T00:00:00Z", "UTC", "2012-07-15T00:00Z 2012-08-01T00:00Z"],
  ["0 0 * * Mon", "2012-07-09T00:00:00Z", "UTC", "2012-07-16T00:00Z"],
  ["0 0 */10 * Sun", "2012-07-09T00:00:00Z", "UTC", "2012-07-11T00:00Z 2012-07-15T00:00Z"],
  // Names
  ["@hourly", MONDAY, "UTC", "2012-07-09T15:00Z"],
  ["@daily", MONDAY, "UTC", "2012-07-10T00:00Z"],
  ["@weekly", MONDAY, "UTC", "2012-07-15T00:00Z"],
  ["@monthly", MONDAY, "UTC", "2012-08-01T00:00Z"],
  ["@yearly", MONDAY, "UTC", "2013-01-01T00:00Z"],
  ["@every 1h30m", MONDAY, "UTC", "2012-07-09T16:15Z"],
  ["@every 90.5s", MONDAY, "UTC", "2012-07-09T14:46:30Z"],
  ["@every 10ms", MONDAY, "UTC", "2012-07-09T14:45:01Z"],
  // Zones
  ["0 9 * * *", MONDAY, "Europe/Berlin", "2012-07-10T09:00+02:00"],
  ["0 9 * * *", MONDAY, "Asia/Kolkata", "2012-07-10T09:00+05:30"],
  ["TZ=Asia/Tokyo 0 9 * * *", MONDAY, "UTC", "2012-07-10T00:00Z"],
  // Clocks go forward: what is left out has no run that day …
  ["30 2 * * *", "2012-03-11T00:00:00-05:00", NEW_YORK, "2012-03-12T02:30-04:00"],
  ["30 2 11 Mar ?", "2012-03-11T00:00:00-05:00", NEW_YORK, "2013-03-11T02:30-04:00"],
  ["0 * * * *", "2012-03-11T00:30:00-05:00", NEW_YORK, "2012-03-11T01:00-05:00 2012-03-11T03:00-04:00"], // prettier-ignore
  // … and back: what comes twice runs twice.
  ["30 1 * * *", "2012-11-04T00:00:00-04:00", NEW_YORK, "2012-11-04T01:30-04:00 2012-11-04T01:30-05:00 2012-11-05T01:30-05:00"], // prettier-ignore
  ["30 1 04 Nov ?", "2012-11-04T01:45:00-04:00", NEW_YORK, "2012-11-04T01:30-05:00"],
  ["30 2 04 Nov ?", "2012-11-04T00:00:00-04:00", NEW_YORK, "2012-11-04T02:30-05:00"],
  ["0 * * * *", "2012-11-04T00:30:00-04:00", NEW_YORK, "2012-11-04T01:00-04:00 2012-11-04T01:00-05:00 2012-11-04T02:00-05:00"], // prettier-ignore
  // Where midnight itself is left out
  ["0 0 * * *", "2012-10-20T12:00:00-03:00", "America/Sao_Paulo", "2012-10-22T00:00-02:00"],
  ["0 1 * * *", "2012-10-20T12:00:00-03:00", "America/Sao_Paulo", "2012-10-21T01:00-02:00"],
];

describe("schedules", () => {
  for (const [schedule, from, zone, expected] of ROWS) {
    it(`${schedule} after ${from}, ${zone} → ${expected}`, () =>
      assert.equal(next(schedule, from, zone, expected.split(" ").length), expected));
  }

  //    text, what is wrong with it
  const WRONG: readonly (readonly [string, string])[] = [
    ["* * * *", "expected exactly 5 fields, found 4: [* * * *]"],
    ["* * * * * *", "expected exactly 5 fields, found 6: [* * * * * *]"],
    ["60 * * * *", "end of range (60) above maximum (59): 60"],
    ["0 0 0 * *", "beginning of range (0) below minimum (1): 0"],
    ["* * * * 7", "end of range (7) above maximum (6): 7"],
    ["5-1 * * * *", "beginning of range (5) beyond end of range (1): 5-1"],
    ["1-2-3 * * * *", "too many hyphens: 1-2-3"],
    ["1/2/3 * * * *", "too many slashes: 1/2/3"],
    ["*/0 * * * *", "step of range should be a positive number: */0"],
    ["5 j * * *", 'failed to parse int from j: strconv.Atoi: parsing "j": invalid syntax'],
    ["@noon", "unrecognized descriptor: @noon"],
    ["@every soon", 'failed to parse duration @every soon: time: invalid duration "soon"'],
    ["TZ=Mars/Base * * * * *", "provided bad location Mars/Base: unknown time zone Mars/Base"],
  ];
  for (const [text, message] of WRONG) {
    it(`${text} is none: ${message}`, () =>
      assert.throws(() => parseSchedule(text), { name: "NoSchedule", message }));
  }
});
