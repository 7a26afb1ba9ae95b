import type { CoreV1Event } from "../../gen/types.ts";
import type { Kind } from "../machinery/kind.ts";
import type { Resource } from "../machinery/resource.ts";
import { fill, plainStrategy } from "../strategy/strategy.ts";
import { eventColumns } from "./event-columns.ts";
import { validateEvent } from "./event-validation.ts";

export type Event = CoreV1Event;

/** The stored form of all events; `events.k8s.io` is a second face of the same objects. */
export const Event: Kind<Event> = {
  group: "",
  version: "v1",
  kind: "Event",
  plural: "events",
  isNamespaced: true,
};

/** @spec k8s@1.36 pkg/registry/core/event/strategy.go */
export const eventResource: Resource<Event> = {
  kind: Event,
  singular: "event",
  shortNames: ["ev"],
  strategy: plainStrategy<Event>({
    withDefaults,
    validate: validateEvent,
    allowsCreateOnUpdate: true,
  }),
  columns: eventColumns,
  selectableFields: {
    "involvedObject.kind": (event) => event.involvedObject?.kind ?? "",
    "involvedObject.namespace": (event) => event.involvedObject?.namespace ?? "",
    "involvedObject.name": (event) => event.involvedObject?.name ?? "",
    "involvedObject.uid": (event) => event.involvedObject?.uid ?? "",
    "involvedObject.apiVersion": (event) => event.involvedObject?.apiVersion ?? "",
    "involvedObject.resourceVersion": (event) => event.involvedObject?.resourceVersion ?? "",
    "involvedObject.fieldPath": (event) => event.involvedObject?.fieldPath ?? "",
    reason: (event) => event.reason ?? "",
    reportingComponent: (event) => event.reportingComponent ?? "",
    source: (event) => event.source?.component || event.reportingComponent || "",
    type: (event) => event.type ?? "",
  },
};

/** Upstream always serves these. */
function withDefaults(event: Event): Event {
  return fill(event, { source: {}, reportingComponent: "", reportingInstance: "" });
}
