import { TimeZone } from "../../base/time-zone.ts";
import type { V1CronJob, V1CronJobSpec } from "../../gen/types.ts";
import { invalid, notSupported, required } from "../machinery/field-error.ts";
import { nonNegative, requiredOneOf, when, type Errors } from "../strategy/checks.ts";
import { NoSchedule } from "./cron-fields.ts";
import { parseSchedule } from "./cron-schedule.ts";
import { validateJobSpec } from "./job-validation.ts";

/** A Job's name is the CronJob's, a hyphen and ten digits, and must be a host name. */
const NAME_CHARACTERS_MAX = 52;

/** @spec k8s@1.36 pkg/apis/batch/validation validateCronJobSpec, but for the zone */
export function validateCronJob({ spec }: V1CronJob): Errors {
  if (spec === undefined) return [required("spec.schedule"), required("spec.jobTemplate")];
  const { schedule = "" } = spec;
  return [
    ...(schedule === "" ? [required("spec.schedule")] : validateSchedule(schedule)),
    ...nonNegative("spec.startingDeadlineSeconds", spec.startingDeadlineSeconds),
    ...requiredOneOf("spec.concurrencyPolicy", spec.concurrencyPolicy, POLICIES),
    ...validateJobTemplate(spec),
    ...nonNegative("spec.successfulJobsHistoryLimit", spec.successfulJobsHistoryLimit),
    ...nonNegative("spec.failedJobsHistoryLimit", spec.failedJobsHistoryLimit),
  ];
}

const POLICIES = ["Allow", "Forbid", "Replace"];

/** Of a new one only: older ones may have a longer name, or a zone that is known no more. */
export function validateNewCronJob({ metadata, spec }: V1CronJob): Errors {
  const name = metadata?.name ?? "";
  return [
    ...when(
      name.length > NAME_CHARACTERS_MAX,
      invalid("metadata.name", name, `must be no more than ${NAME_CHARACTERS_MAX} characters`),
    ),
    ...validateTimeZone(spec?.timeZone),
  ];
}

/** A zone that changes must be one. */
export function validateCronJobChange({ spec }: V1CronJob, old: V1CronJob): Errors {
  return spec?.timeZone === old.spec?.timeZone ? [] : validateTimeZone(spec?.timeZone);
}

function validateSchedule(schedule: string): Errors {
  const problem = problemOf(schedule);
  const rule = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead";
  return [
    ...when(problem !== undefined, invalid("spec.schedule", schedule, problem ?? "")),
    ...when(schedule.includes("TZ"), invalid("spec.schedule", schedule, rule)),
  ];
}

/** What is wrong with a schedule; `undefined`: nothing. */
function problemOf(schedule: string): string | undefined {
  try {
    parseSchedule(schedule);
    return undefined;
  } catch (error) {
    if (error instanceof NoSchedule) return error.message;
    throw error;
  }
}

const ZONE_PART = /^[A-Za-z._0-9+][A-Za-z.\-_0-9+]{0,13}$/;

function validateTimeZone(zone: string | undefined): Errors {
  if (zone === undefined) return [];
  const refusal = (rule: string): Errors => [invalid("spec.timeZone", zone, rule)];
  if (zone === "") return refusal("timeZone must be nil or non-empty string");
  const parts = zone.split("/");
  const isPath = parts.every((part) => part !== "." && part !== ".." && ZONE_PART.test(part));
  const unknown = `unknown time zone ${zone}`;
  if (!isPath) return refusal(unknown);
  if (zone.toLowerCase() === "local") {
    return refusal(
      "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones",
    );
  }
  return TimeZone.find(zone) ? [] : refusal(unknown);
}

/** The selector of a Job is made with it. @spec ValidateJobTemplateSpec */
function validateJobTemplate({ jobTemplate }: V1CronJobSpec): Errors {
  const path = "spec.jobTemplate.spec";
  const spec = jobTemplate?.spec;
  if (spec === undefined) return [required("spec.jobTemplate")];
  return [
    ...validateJobSpec(spec, path),
    ...when(
      spec.selector !== undefined,
      invalid(`${path}.selector`, spec.selector, "`selector` will be auto-generated"),
    ),
    ...when(
      spec.manualSelector === true,
      notSupported(`${path}.manualSelector`, spec.manualSelector, ["nil", "false"]),
    ),
  ];
}
