import type { CoreV1Event } from "../../gen/types.ts";
import { invalid, required } from "../machinery/field-error.ts";
import { validateDnsSubdomain, validateQualifiedName } from "../machinery/names.ts";
import { invalids, requiredText, when, type Errors } from "../strategy/checks.ts";

/** Characters. Events are many; doubled, so is what they take. */
const SHORT_LENGTH_MAX = 128;
const NOTE_LENGTH_MAX = 1024;

/** What every event must satisfy, in whichever group it comes. @spec k8s@1.36 pkg/apis/core/validation legacyValidateEvent */
export function validateEvent(event: CoreV1Event): Errors {
  const namespace = event.metadata?.namespace ?? "";
  return [
    ...(event.eventTime ? validateReporter(event) : []),
    ...when(
      !isAtHome(event, namespace),
      invalid(
        "involvedObject.namespace",
        event.involvedObject?.namespace ?? "",
        "does not match event.namespace",
      ),
    ),
    ...invalids("namespace", namespace, validateDnsSubdomain(namespace)),
  ];
}

/** Events stand in the namespace of their object; those of cluster-scoped objects in `default`. */
function isAtHome(event: CoreV1Event, namespace: string): boolean {
  const place = event.involvedObject?.namespace ?? "";
  if (event.eventTime)
    return place !== "" || namespace === "default" || namespace === "kube-system";
  return place === "" ? namespace === "" || namespace === "default" : place === namespace;
}

function validateReporter(event: CoreV1Event): Errors {
  const { reportingComponent = "", reportingInstance = "", action = "", reason = "" } = event;
  const short = (field: string, text: string, lengthMax = SHORT_LENGTH_MAX): Errors =>
    when(text.length > lengthMax, invalid(field, "", `can have at most ${lengthMax} characters`));
  return [
    ...requiredText("reportingController", reportingComponent),
    ...invalids(
      "reportingController",
      reportingComponent,
      validateQualifiedName(reportingComponent),
    ),
    ...requiredText("reportingInstance", reportingInstance),
    ...short("reportingInstance", reportingInstance),
    ...requiredText("action", action),
    ...short("action", action),
    ...requiredText("reason", reason),
    ...short("reason", reason),
    ...short("message", event.message ?? "", NOTE_LENGTH_MAX),
  ];
}

/** What events.k8s.io asks of a new event besides. @spec ValidateEventCreate */
export function validateNewStrictly(event: CoreV1Event): Errors {
  const unset = (field: string, isSet: boolean): Errors =>
    when(isSet, invalid(field, "", "needs to be unset"));
  const { type = "" } = event;
  return [
    ...validateSeries(event),
    ...when(!event.eventTime, required("eventTime")),
    ...when(
      type !== "Normal" && type !== "Warning",
      invalid("type", "", `has invalid value: ${type}`),
    ),
    ...unset("firstTimestamp", !!event.firstTimestamp),
    ...unset("lastTimestamp", !!event.lastTimestamp),
    ...unset("count", !!event.count),
    ...unset("source", !!event.source?.component || !!event.source?.host),
  ];
}

function validateSeries({ series }: CoreV1Event): Errors {
  if (series === undefined) return [];
  return [
    ...when((series.count ?? 0) < 2, invalid("series.count", "", "should be at least 2")),
    ...requiredText("series.lastObservedTime", series.lastObservedTime),
  ];
}
