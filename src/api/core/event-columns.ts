import type { Instant } from "../../base/clock.ts";
import type { CoreV1Event } from "../../gen/types.ts";
import { translateTimestampSince } from "../machinery/human-duration.ts";
import type { Column } from "../machinery/resource.ts";
import { nameColumn, textColumn, wide } from "../strategy/columns.ts";

/** @spec k8s@1.36 printers.go printEvent */
export const eventColumns: readonly Column<CoreV1Event>[] = [
  textColumn("Last Seen", "Time since it was seen last", lastSeen),
  textColumn("Type", "Normal or Warning", (event) => event.type ?? ""),
  textColumn("Reason", "Short name of what happened", (event) => event.reason ?? ""),
  textColumn("Object", "What it happened to", formatTarget),
  wide(
    textColumn(
      "Subobject",
      "Which part of the object",
      (event) => event.involvedObject?.fieldPath ?? "",
    ),
  ),
  wide(textColumn("Source", "Who says so", formatSource)),
  textColumn("Message", "What happened, in words", (event) => (event.message ?? "").trim()),
  wide(textColumn("First Seen", "Time since it was seen first", firstSeen)),
  wide(textColumn("Count", "How often it was seen", countOf)),
  wide(nameColumn()),
];

function firstSeen(event: CoreV1Event, now: Instant): string {
  return translateTimestampSince(event.firstTimestamp || event.eventTime, now);
}

function lastSeen(event: CoreV1Event, now: Instant): string {
  if (event.series) return translateTimestampSince(event.series.lastObservedTime, now);
  return event.lastTimestamp
    ? translateTimestampSince(event.lastTimestamp, now)
    : firstSeen(event, now);
}

/** A series does not count the event that it began with. */
function countOf(event: CoreV1Event): number {
  return event.series ? (event.series.count ?? 0) + 1 : event.count || 1;
}

function formatTarget({ involvedObject }: CoreV1Event): string {
  const kind = (involvedObject?.kind ?? "").toLowerCase();
  return involvedObject?.name ? `${kind}/${involvedObject.name}` : kind;
}

function formatSource(event: CoreV1Event): string {
  const component = event.source?.component || event.reportingComponent || "";
  const instance = event.source?.host || event.reportingInstance || "";
  return instance === "" ? component : `${component}, ${instance}`;
}
