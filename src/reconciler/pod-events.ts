import type { PlannedEvent, PlannedWrite } from "./controller.ts";

/**
 * What is told of the creates and deletes of Pods among writes.
 *
 * @param first of `writes`, the index of the first that is told of.
 * @spec k8s@1.36 pkg/controller/controller_utils.go RealPodControl
 */
export function podEvents(writes: readonly PlannedWrite[], first = 0): PlannedEvent[] {
  return writes.flatMap((write, index) => (index < first ? [] : eventsOf(write, index)));
}

function eventsOf(write: PlannedWrite, afterWrite: number): PlannedEvent[] {
  if (write.verb !== "create" && write.verb !== "delete") return [];
  const [verb, doing] = write.verb === "create" ? ["Create", "creating"] : ["Delete", "deleting"];
  const name = write.verb === "delete" ? write.key.name : "{name}";
  return [
    { type: "Normal", reason: `Successful${verb}`, message: `${verb}d pod: ${name}`, afterWrite },
    {
      type: "Warning",
      reason: `Failed${verb}`,
      message: `Error ${doing}: {error}`,
      afterWrite,
      onFailure: true,
    },
  ];
}
