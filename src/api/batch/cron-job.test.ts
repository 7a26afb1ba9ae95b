import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { errorLines } from "../../../test/support/field-errors.ts";
import type { V1CronJobSpec } from "../../gen/types.ts";
import { cronJobResource, type CronJob } from "./cron-job.ts";

const { strategy, columns } = cronJobResource;

const jobTemplate = {
  spec: { template: { spec: { containers: [{ name: "c", image: "i" }], restartPolicy: "Never" } } },
};

const given = (spec: Partial<V1CronJobSpec> = {}, name = "cj"): CronJob =>
  strategy.withDefaults({
    metadata: { name },
    spec: { schedule: "* * * * *", jobTemplate, ...spec },
  });

function row(spec: Partial<V1CronJobSpec>, ...expected: string[]): void {
  it(`${JSON.stringify(spec)} → ${expected.length || "fine"}`, () =>
    assert.deepEqual(errorLines(strategy.validate(given(spec))), expected));
}

describe("a CronJob", () => {
  it("has upstream's defaults, and its Jobs' Pods theirs", () => {
    const { jobTemplate: template, ...spec } = given().spec;
    assert.deepEqual(spec, {
      schedule: "* * * * *",
      concurrencyPolicy: "Allow",
      suspend: false,
      successfulJobsHistoryLimit: 3,
      failedJobsHistoryLimit: 1,
    });
    assert.equal(template.spec?.template.spec?.dnsPolicy, "ClusterFirst");
    assert.equal(template.spec?.backoffLimit, undefined, "a Job's own come when it is made");
  });

  row({});
  row({ schedule: "@every 5m", timeZone: "Europe/Berlin" });
  row({ schedule: "" }, "spec.schedule Required");
  row(
    { schedule: "* * * *" },
    "spec.schedule Invalid: expected exactly 5 fields, found 4: [* * * *]",
  );
  row(
    { schedule: "CRON_TZ=UTC * * * * *" },
    "spec.schedule Invalid: cannot use TZ or CRON_TZ in schedule, use timeZone field instead",
  );
  row({ timeZone: "" }, "spec.timeZone Invalid: timeZone must be nil or non-empty string");
  row({ timeZone: "Mars/Base" }, "spec.timeZone Invalid: unknown time zone Mars/Base");
  row({ timeZone: "../etc" }, "spec.timeZone Invalid: unknown time zone ../etc");
  row(
    { timeZone: "Local" },
    "spec.timeZone Invalid: timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones",
  );
  row(
    { concurrencyPolicy: "Wait" },
    'spec.concurrencyPolicy NotSupported: supported values: "Allow", "Forbid", "Replace"',
  );
  row(
    { startingDeadlineSeconds: -1 },
    "spec.startingDeadlineSeconds Invalid: must be greater than or equal to 0",
  );
  row(
    { jobTemplate: { spec: { ...jobTemplate.spec, selector: {}, manualSelector: true } } },
    "spec.jobTemplate.spec.selector Invalid: `selector` will be auto-generated",
    'spec.jobTemplate.spec.manualSelector NotSupported: supported values: "nil", "false"',
  );

  it("leaves room in its name for that of its Jobs, when it is new", () => {
    const long = given({}, "x".repeat(53));
    assert.deepEqual(errorLines(strategy.validate(long)), [
      "metadata.name Invalid: must be no more than 52 characters",
    ]);
    assert.deepEqual(errorLines(strategy.validateUpdate(long, long)), []);
  });

  it("keeps a zone that is known no more, until it changes", () => {
    const old = given({ timeZone: "Mars/Base" });
    assert.deepEqual(errorLines(strategy.validateUpdate(old, old)), []);
    assert.equal(strategy.validateUpdate(given({ timeZone: "Mars/Top" }), old).length, 1);
  });

  it("shows when it runs and what runs now", () => {
    const NOW = Date.UTC(2026, 0, 1, 1);
    const cells = (cronJob: CronJob): unknown[] =>
      columns.map((column) => column.cell(cronJob, NOW));
    assert.deepEqual(cells(given()), [
      ...["cj", "* * * * *", "<none>", "False", 0, "<none>", "<unknown>", "c", "i", "<none>"],
    ]);
    const status = { active: [{}], lastScheduleTime: "2026-01-01T00:59:00Z" };
    const busy = { ...given({ suspend: true, timeZone: "Asia/Tokyo" }), status };
    assert.deepEqual(cells(busy).slice(2, 6), ["Asia/Tokyo", "True", 1, "60s"]);
  });
});
