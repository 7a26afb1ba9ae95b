import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SCHEDULED_TIMESTAMP } from "../../api/batch/job-state.ts";
import type { CronJob } from "../../api/batch/cron-job.ts";
import type { Job } from "../../api/batch/job.ts";
import type { Plan } from "../../reconciler/controller.ts";
import { plan } from "./cronjob.ts";

/** Thursday. Runs of that day are named by the minute: `00:00` is 29453760. */
const MIDNIGHT = Date.UTC(2026, 0, 1);
const timeOf = (text: string): number => {
  const [hours = 0, minutes = 0, seconds = 0] = text.split(":").map(Number);
  return MIDNIGHT + ((hours * 60 + minutes) * 60 + seconds) * 1000;
};
const format = (instant: number): string => new Date(instant).toISOString().slice(0, 19) + "Z";
const shown = (text: string | undefined): string => text?.slice(11, 19).replace(/:00$/, "") ?? "";

/** `10:00`: a run that was due then and has not ended. `10:00 ok`, `10:00 failed`: it has. `hand`: one that somebody made. */
function job(text: string): Job {
  const [due = "", end] = text.trim().split(" ");
  const at = due === "hand" ? MIDNIGHT : timeOf(due);
  const name = due === "hand" ? "hand" : `cj-${Math.floor(at / 60_000)}`;
  const annotations = due === "hand" ? {} : { [SCHEDULED_TIMESTAMP]: format(at) };
  const type = end === "ok" ? "Complete" : "Failed";
  return {
    metadata: { name, namespace: "d", uid: due, annotations, creationTimestamp: format(at) },
    spec: { template: {} },
    status: {
      ...(due !== "hand" && { startTime: format(at) }),
      ...(end && { conditions: [{ type, status: "True" }] }),
      ...(end === "ok" && { completionTime: format(at + 5000) }),
    },
  };
}

interface Wish {
  readonly schedule?: string;
  /** `lastScheduleTime`; the CronJob is of midnight. */
  readonly last?: string;
  readonly active?: readonly string[];
  readonly spec?: Partial<CronJob["spec"]>;
  readonly metadata?: object;
}

function cronJob({ schedule = "0 * * * *", last, active = [], spec, metadata }: Wish): CronJob {
  return {
    metadata: {
      name: "cj",
      namespace: "d",
      uid: "cj",
      creationTimestamp: format(MIDNIGHT),
      ...metadata,
    },
    spec: {
      schedule,
      concurrencyPolicy: "Allow",
      suspend: false,
      successfulJobsHistoryLimit: 3,
      failedJobsHistoryLimit: 1,
      jobTemplate: { metadata: { labels: { app: "x" } }, spec: { template: {} } },
      ...spec,
    },
    status: {
      ...(last && { lastScheduleTime: format(timeOf(last)) }),
      ...(active.length > 0 && {
        active: active.map((uid) => ({ uid, name: job(uid).metadata!.name! })),
      }),
    },
  };
}

const jobsOf = (text: string): Job[] => (text ? text.split("|").map(job) : []);

/** `+10:00`: the run of ten is created, `-09:00`: that one is deleted; `wake 11:00`. */
function steps({ writes = [], wakeAt }: Plan): string {
  const words = writes.flatMap((write) => {
    if (write.verb === "create")
      return [`+${shown(write.object.metadata?.annotations?.[SCHEDULED_TIMESTAMP])}`];
    if (write.verb !== "delete") return [];
    const minute = Number(write.key.name.split("-")[1]);
    return [`-${shown(format(minute * 60_000))}`];
  });
  const days = wakeAt === undefined ? 0 : Math.floor((wakeAt - MIDNIGHT) / 86_400_000);
  const day = days > 0 ? `${days}d ` : "";
  return [...words, ...(wakeAt === undefined ? [] : [`wake ${day}${shown(format(wakeAt))}`])].join(
    " ",
  );
}

function statusOf({ status, writes = [] }: Plan): NonNullable<CronJob["status"]> {
  const update = writes.find(({ verb }) => verb === "update") as { object: CronJob } | undefined;
  return (status ?? update?.object.status ?? {}) as NonNullable<CronJob["status"]>;
}

/** `last 10:00, active 09:00 10:00, success 08:00:05`. */
function told(result: Plan): string {
  const { lastScheduleTime, active = [], lastSuccessfulTime } = statusOf(result);
  return [
    ...(lastScheduleTime ? [`last ${shown(lastScheduleTime)}`] : []),
    ...(active.length > 0 ? [`active ${active.map(({ uid }) => uid).join(" ")}`] : []),
    ...(lastSuccessfulTime ? [`success ${shown(lastSuccessfulTime)}`] : []),
  ].join(", ");
}

type Row = readonly [
  what: string,
  now: string,
  wish: Wish,
  jobs: string,
  writes: string,
  status: string,
];

const FORBID = { spec: { concurrencyPolicy: "Forbid" } };
const REPLACE = { spec: { concurrencyPolicy: "Replace" } };

const ROWS: readonly Row[] = [
  // When
  ["not due yet", "00:30", {}, "", "wake 01:00", ""],
  ["due", "01:00", {}, "", "+01:00 wake 02:00", "last 01:00"],
  [
    "its Job is active when it is seen",
    "01:00",
    { last: "01:00" },
    "01:00",
    "wake 02:00",
    "last 01:00, active 01:00",
  ],
  ["a little late", "01:59:59", {}, "", "+01:00 wake 02:00", "last 01:00"],
  [
    "of several missed only the latest",
    "10:30",
    { last: "01:00" },
    "",
    "+10:00 wake 11:00",
    "last 10:00",
  ],
  [
    "of irregular ones, too",
    "16:00",
    { schedule: "30 6-16/4 * * *", last: "06:30" },
    "",
    "+14:30 wake 1d 06:30",
    "last 14:30",
  ],
  [
    "done already",
    "10:30",
    { last: "10:00" },
    "10:00 ok",
    "wake 11:00",
    "last 10:00, success 10:00:05",
  ],
  [
    "created, but the status was not written",
    "01:00",
    {},
    "01:00",
    "wake 02:00",
    "last 01:00, active 01:00",
  ],
  [
    "@every counts from the last run",
    "01:10",
    { schedule: "@every 20m", last: "01:03" },
    "",
    "wake 01:23",
    "last 01:03",
  ],
  [
    "@every counts from the creation",
    "00:45",
    { schedule: "@every 20m" },
    "",
    "+00:40 wake 01:00",
    "last 00:40",
  ],
  [
    "the clocks of its zone",
    "07:59",
    { schedule: "0 9 * * *", spec: { timeZone: "Europe/Berlin" } },
    "",
    "wake 08:00",
    "",
  ],
  ["never", "01:00", { schedule: "0 0 30 2 *" }, "", "", ""],
  // Deadline
  [
    "in time",
    "01:00:59",
    { spec: { startingDeadlineSeconds: 60 } },
    "",
    "+01:00 wake 02:00",
    "last 01:00",
  ],
  [
    "too late: nothing but the next",
    "01:02",
    { spec: { startingDeadlineSeconds: 60 } },
    "",
    "wake 02:00",
    "",
  ],
  // Suspension
  ["suspended", "01:00", { spec: { suspend: true } }, "", "", ""],
  [
    "resumed: the latest is made up for",
    "05:30",
    { last: "01:00" },
    "",
    "+05:00 wake 06:00",
    "last 05:00",
  ],
  // Concurrency
  [
    "Allow: beside the one that runs",
    "02:00",
    { last: "01:00", active: ["01:00"] },
    "01:00",
    "+02:00 wake 03:00",
    "last 02:00, active 01:00",
  ],
  [
    "Forbid: not while one runs",
    "02:00",
    { ...FORBID, last: "01:00", active: ["01:00"] },
    "01:00",
    "wake 03:00",
    "last 01:00, active 01:00",
  ],
  [
    "Forbid: once it has ended",
    "02:10",
    { ...FORBID, last: "01:00", active: ["01:00"] },
    "01:00 ok",
    "+02:00 wake 03:00",
    "last 02:00, success 01:00:05",
  ],
  [
    "Forbid: one made by hand is no run",
    "01:00",
    FORBID,
    "hand",
    "+01:00 wake 02:00",
    "last 01:00",
  ],
  [
    "Replace: the one that runs goes",
    "02:00",
    { ...REPLACE, last: "01:00", active: ["01:00"] },
    "01:00",
    "-01:00 +02:00 wake 03:00",
    "last 02:00",
  ],
  // What is over
  [
    "an active one that is gone",
    "01:30",
    { last: "01:00", active: ["01:00"] },
    "",
    "wake 02:00",
    "last 01:00",
  ],
  [
    "the oldest successes beyond three",
    "06:30",
    { last: "06:00" },
    "01:00 ok | 02:00 ok | 03:00 ok | 05:00 ok | 06:00 ok",
    "-01:00 -02:00 wake 07:00",
    "last 06:00, success 06:00:05",
  ],
  [
    "failures beyond one",
    "06:30",
    { last: "06:00" },
    "06:00 failed | 05:00 failed | 04:00 ok",
    "-05:00 wake 07:00",
    "last 06:00, success 04:00:05",
  ],
  [
    "of successes and failures each by its own limit",
    "06:30",
    { last: "06:00" },
    "01:00 failed | 02:00 ok | 03:00 ok | 05:00 ok",
    "wake 07:00",
    "last 06:00, success 05:00:05",
  ],
  [
    "no history",
    "06:30",
    { last: "06:00", spec: { successfulJobsHistoryLimit: 0 } },
    "06:00 ok",
    "-06:00 wake 07:00",
    "last 06:00, success 06:00:05",
  ],
];

describe("cronjob plan", () => {
  for (const [what, now, wish, jobs, writes, status] of ROWS) {
    it(`${what}: at ${now}, "${jobs}" → "${writes}"`, () => {
      const result = plan({ cronJob: cronJob(wish), jobs: jobsOf(jobs) }, timeOf(now));
      assert.equal(steps(result), writes);
      assert.equal(told(result), status);
    });
  }

  it("a run is named by its minute and says when it was due, as its zone shows it", () => {
    const wish = { schedule: "0 9 * * *", spec: { timeZone: "Europe/Berlin" } };
    const [write] = plan({ cronJob: cronJob(wish), jobs: [] }, timeOf("08:00")).writes!;
    const { metadata } = (write as { object: Job }).object;
    assert.equal(metadata?.name, `cj-${timeOf("08:00") / 60_000}`);
    assert.equal(metadata.annotations?.[SCHEDULED_TIMESTAMP], "2026-01-01T09:00:00+01:00");
    assert.deepEqual(
      [metadata.labels, metadata.ownerReferences?.[0]?.kind],
      [{ app: "x" }, "CronJob"],
    );
  });

  const messages = (wish: Wish, jobs: string, now: string): unknown[] =>
    (plan({ cronJob: cronJob(wish), jobs: jobsOf(jobs) }, timeOf(now)).events ?? []).map(
      ({ type, reason, message }) => `${type} ${reason}: ${message}`,
    );

  //     what, wish, jobs, now, events
  const EVENTS: readonly (readonly [string, Wish, string, string, ...string[]])[] = [
    [
      "a new run",
      {},
      "",
      "01:00",
      "Normal SuccessfulCreate: Created job {name}",
      "Warning FailedCreate: Error creating job: {error}",
    ],
    [
      "one that has ended",
      { last: "01:00", active: ["01:00"] },
      "01:00 ok",
      "01:30",
      "Normal SawCompletedJob: Saw completed job: cj-29453820, status: Complete",
    ],
    [
      "runs that ended well, and one that runs: nothing",
      { last: "03:00" },
      "01:00 ok | 02:00 ok | 03:00",
      "03:30",
    ],
    [
      "one that is gone",
      { last: "01:00", active: ["01:00"] },
      "",
      "01:30",
      "Normal MissingJob: Active job went missing: cj-29453820",
    ],
    [
      "one by hand",
      {},
      "hand",
      "00:30",
      "Warning UnexpectedJob: Saw a job that the controller did not create or forgot: hand",
    ],
    [
      "Forbid",
      { ...FORBID, last: "01:00", active: ["01:00"] },
      "01:00",
      "02:00",
      "Normal JobAlreadyActive: Not starting job because prior execution is running and concurrency policy is Forbid",
    ],
    [
      "one removed",
      { last: "02:00", spec: { failedJobsHistoryLimit: 0 } },
      "02:00 failed",
      "02:30",
      "Normal SuccessfulDelete: Deleted job cj-29453880",
      "Warning FailedDelete: Deleted job: {error}",
    ],
    [
      "no schedule",
      { schedule: "often" },
      "",
      "01:00",
      'Warning UnparseableSchedule: unparseable schedule: "often" : expected exactly 5 fields, found 1: [often]',
    ],
    [
      "no zone",
      { spec: { timeZone: "Mars/Base" } },
      "",
      "01:00",
      'Warning UnknownTimeZone: invalid timeZone: "Mars/Base": unknown time zone Mars/Base',
    ],
    [
      "more than a hundred missed",
      { schedule: "* * * * *", spec: { suspend: false } },
      "",
      "01:41",
      "Warning TooManyMissedTimes: too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew",
      "Normal SuccessfulCreate: Created job {name}",
      "Warning FailedCreate: Error creating job: {error}",
    ],
    [
      "more than a hundred missed, of which the deadline lets a few count",
      { schedule: "* * * * *", spec: { startingDeadlineSeconds: 200 } },
      "",
      "01:41",
      "Normal SuccessfulCreate: Created job {name}",
      "Warning FailedCreate: Error creating job: {error}",
    ],
    [
      "a hundred missed",
      { schedule: "* * * * *" },
      "",
      "01:40",
      "Normal SuccessfulCreate: Created job {name}",
      "Warning FailedCreate: Error creating job: {error}",
    ],
  ];
  for (const [what, wish, jobs, now, ...expected] of EVENTS)
    it(`tells of ${what}`, () => assert.deepEqual(messages(wish, jobs, now), expected));

  it("does nothing but its status when it is being deleted", () => {
    const going = cronJob({ metadata: { deletionTimestamp: format(MIDNIGHT) } });
    assert.equal(steps(plan({ cronJob: going, jobs: jobsOf("00:30") }, timeOf("01:00"))), "");
  });

  it("a run that could not be created is still due", () => {
    const result = plan({ cronJob: cronJob({}), jobs: [] }, timeOf("01:00"));
    assert.deepEqual(result.statusOnFailure!({ write: result.writes![0]!, message: "no" }), {});
  });
});
