import type { StatefulSet } from "../../api/apps/stateful-set.ts";
import { PersistentVolumeClaim } from "../../api/core/persistent-volume-claim.ts";
import { Pod } from "../../api/core/pod.ts";
import { keyOf } from "../../api/machinery/object.ts";
import type { Plan, PlannedEvent, PlannedWrite } from "../../reconciler/controller.ts";

/** One write and what is told of it. */
export interface Item {
  readonly write: PlannedWrite;
  readonly events: readonly PlannedEvent[];
}

/**
 * What is to be done about one Pod.
 *
 * `go`: nothing stands in the way of what comes next. `wait`: an ordered set does no more this time. `stop`: no set does.
 */
export interface Step {
  readonly items: readonly Item[];
  readonly next: "go" | "wait" | "stop";
  /** Told without a write. */
  readonly events?: readonly PlannedEvent[];
}

export const GO: Step = { items: [], next: "go" };
export const WAIT: Step = { items: [], next: "wait" };

type Verb = "create" | "update" | "delete";

/** A write of a Pod, or for one. @spec k8s@1.36 pkg/controller/statefulset recordPodEvent */
export function podItem(set: StatefulSet, pod: string, verb: Verb, write: PlannedWrite): Item {
  return { write, events: [told(set, pod, verb), failed(set, pod, verb, "{error}")] };
}

/** Takes a Pod away. */
export function deletePod(set: StatefulSet, pod: Pod): Item {
  const ifUid = pod.metadata?.uid ?? "";
  const write = { verb: "delete", kind: Pod, key: keyOf(pod), ifUid } as const;
  return podItem(set, write.key.name, "delete", write);
}

/** @spec recordClaimEvent, and the Pod's event when the claim cannot be made */
export function createClaim(set: StatefulSet, pod: string, claim: PersistentVolumeClaim): Item {
  const name = keyOf(claim).name;
  const owner = set.metadata?.name;
  return {
    write: { verb: "create", kind: PersistentVolumeClaim, object: claim },
    events: [
      {
        type: "Normal",
        reason: "SuccessfulCreate",
        message: `create Claim ${name} Pod ${pod} in StatefulSet ${owner} success`,
      },
      {
        type: "Warning",
        reason: "FailedCreate",
        message: `create Claim ${name} for Pod ${pod} in StatefulSet ${owner} failed error: {error}`,
        onFailure: true,
      },
      failed(set, pod, "create", `failed to create PVC ${name}: {error}`),
    ],
  };
}

function told(set: StatefulSet, pod: string, verb: Verb): PlannedEvent {
  const message = `${verb} Pod ${pod} in StatefulSet ${set.metadata?.name} successful`;
  return { type: "Normal", reason: `Successful${titled(verb)}`, message };
}

/** The event of a write that failed, or of one that cannot be tried. */
export function failed(
  set: StatefulSet,
  pod: string,
  verb: Verb,
  error: string,
): PlannedEvent & { readonly onFailure: true } {
  const message = `${verb} Pod ${pod} in StatefulSet ${set.metadata?.name} failed error: ${error}`;
  return { type: "Warning", reason: `Failed${titled(verb)}`, message, onFailure: true };
}

function titled(verb: Verb): string {
  return verb.charAt(0).toUpperCase() + verb.slice(1);
}

/** The steps as a plan's writes and events. `first`: writes that nothing is told of. */
export function planOf(
  first: readonly PlannedWrite[],
  steps: readonly Step[],
): Required<Pick<Plan, "writes" | "events">> {
  const items = steps.flatMap((step) => step.items);
  // Neighbours of one kind go out together: of several Pods, all claims first.
  const isClaim = ({ write }: Item): boolean => write.kind === PersistentVolumeClaim;
  const isNew = (item: Item): boolean => item.write.verb === "create" && isClaim(item);
  const ordered = [...items.filter(isNew), ...items.filter((item) => !isNew(item))];
  return {
    writes: [...first, ...ordered.map(({ write }) => write)],
    events: [
      ...steps.flatMap(({ events = [] }) => events),
      ...ordered.flatMap(({ events }, index) =>
        events.map((event) => ({ ...event, afterWrite: first.length + index })),
      ),
    ],
  };
}
