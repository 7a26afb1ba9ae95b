import type { CoreV1Event, EventsV1Event } from "../../gen/types.ts";
import { Event } from "../core/event.ts";
import { eventColumns } from "../core/event-columns.ts";
import type { Kind } from "../machinery/kind.ts";
import type { Resource } from "../machinery/resource.ts";
import { plainStrategy } from "../strategy/strategy.ts";
import { fromStoredEvent, toStoredEvent } from "./event-conversion.ts";
import { validateEvent, validateNewStrictly } from "../core/event-validation.ts";

export type EventsEvent = EventsV1Event;

/** The newer face of Event; stored as the core one. */
export const EventsEvent: Kind<EventsEvent> = {
  group: "events.k8s.io",
  version: "v1",
  kind: "Event",
  plural: "events",
  isNamespaced: true,
};

/**
 * A change must only satisfy what every event must: upstream has rules against changing most fields, and compares the new event with itself.
 *
 * @spec k8s@1.36 pkg/registry/core/event/strategy.go ValidateUpdate
 */
export const eventsEventResource: Resource<EventsEvent> = {
  kind: EventsEvent,
  singular: "event",
  shortNames: ["ev"],
  strategy: plainStrategy<EventsEvent>({
    validate: (event) => validateEvent(toStoredEvent(event)),
    validateNew: (event) => validateNewStrictly(toStoredEvent(event)),
    allowsCreateOnUpdate: true,
  }),
  olderVersions: [
    {
      group: "events.k8s.io",
      version: "v1beta1",
      lifecycle: { deprecated: "1.22", removed: "1.25" },
    },
  ],
  columns: eventColumns.map((column) => ({
    ...column,
    cell: (event, now) => column.cell(toStoredEvent(event), now),
  })),
  selectableFields: {
    "regarding.kind": (event) => event.regarding?.kind ?? "",
    "regarding.namespace": (event) => event.regarding?.namespace ?? "",
    "regarding.name": (event) => event.regarding?.name ?? "",
    "regarding.uid": (event) => event.regarding?.uid ?? "",
    "regarding.apiVersion": (event) => event.regarding?.apiVersion ?? "",
    "regarding.resourceVersion": (event) => event.regarding?.resourceVersion ?? "",
    "regarding.fieldPath": (event) => event.regarding?.fieldPath ?? "",
    reason: (event) => event.reason ?? "",
    reportingController: (event) => event.reportingController ?? "",
    type: (event) => event.type ?? "",
  },
  storedAs: {
    kind: Event,
    toStored: toStoredEvent,
    fromStored: (stored) => fromStoredEvent(stored as CoreV1Event),
  },
};
