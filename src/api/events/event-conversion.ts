import type { CoreV1Event, EventsV1Event } from "../../gen/types.ts";

/** Names of the same field in both faces: core, events.k8s.io. All other fields have one name. */
const RENAMED: readonly (readonly [keyof CoreV1Event, keyof EventsV1Event])[] = [
  ["involvedObject", "regarding"],
  ["message", "note"],
  ["reportingComponent", "reportingController"],
  ["source", "deprecatedSource"],
  ["firstTimestamp", "deprecatedFirstTimestamp"],
  ["lastTimestamp", "deprecatedLastTimestamp"],
  ["count", "deprecatedCount"],
];
const TO_CORE = new Map<string, string>(RENAMED.map(([core, events]) => [events, core]));
const TO_EVENTS = new Map<string, string>(RENAMED);

/** The core face. @spec k8s@1.36 pkg/apis/events/v1 conversion.go */
export function toStoredEvent(event: EventsV1Event): CoreV1Event {
  const core = rename(event, TO_CORE, "v1");
  return { ...core, involvedObject: core["involvedObject"] ?? {} } as unknown as CoreV1Event;
}

/** The events.k8s.io face. */
export function fromStoredEvent(event: CoreV1Event): EventsV1Event {
  const renamed = rename(event, TO_EVENTS, "events.k8s.io/v1");
  return { ...renamed, eventTime: renamed["eventTime"] ?? null } as unknown as EventsV1Event;
}

function rename(
  object: object,
  names: ReadonlyMap<string, string>,
  apiVersion: string,
): Record<string, unknown> {
  const renamed = Object.fromEntries(
    Object.entries(object).map(([field, value]) => [names.get(field) ?? field, value as unknown]),
  );
  return "apiVersion" in renamed ? { ...renamed, apiVersion } : renamed;
}
