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
  /** Writes that the server will refuse: tried after all others, for what is told of them. */
  readonly vain?: readonly Item[];
  /** Told without a write. */
  readonly events?: readonly PlannedEvent[];
}

export const GO: Step = { items: [], next: "go" };
export const WAIT: Step = { items: [], next: "wait" };

type Verb = "create" | "update" | "delete";

/** A write of a Pod, or for one. @spec k8s@1.36 pkg/controller/statefulset recordPodEvent */
export function podItem(set: StatefulSet, pod: string, verb: Verb, write: PlannedWrite): Item {
  return { write, events: [told(set, pod, verb), failure(set, pod, verb, "{error}")] };
}

/** Takes a Pod away. */
export function deletePod(set: StatefulSet, pod: Pod): Item {
  const ifUid = pod.metadata?.uid ?? "";
  const write = { verb: "delete", kind: Pod, key: keyOf(pod), ifUid } as const;
  return podItem(set, write.key.name, "delete", write);
}

/**
 * @param verb what fails of the Pod when the claim cannot be made; absent: nothing, it has been made before.
 * @spec recordClaimEvent
 */
export function createClaim(
  set: StatefulSet,
  pod: string,
  claim: PersistentVolumeClaim,
  verb?: Verb,
): Item {
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
      ...(verb ? [failure(set, pod, verb, `failed to create PVC ${name}: {error}`)] : []),
    ],
  };
}

/** The event of a write that was carried out. */
export function told(set: StatefulSet, pod: string, verb: Verb): PlannedEvent {
  const message = `${verb} Pod ${pod} in StatefulSet ${set.metadata?.name} successful`;
  return { type: "Normal", reason: `Successful${titled(verb)}`, message };
}

/** The event of a write that cannot be tried. */
export function failed(set: StatefulSet, pod: string, verb: Verb, error: string): PlannedEvent {
  const message = `${verb} Pod ${pod} in StatefulSet ${set.metadata?.name} failed error: ${error}`;
  return { type: "Warning", reason: `Failed${titled(verb)}`, message };
}

/** The event of a write that failed. */
export function failure(set: StatefulSet, pod: string, verb: Verb, error: string): PlannedEvent {
  return { ...failed(set, pod, verb, error), onFailure: true };
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
  const ordered = [
    ...items.filter(isNew),
    ...items.filter((item) => !isNew(item)),
    ...steps.flatMap(({ vain = [] }) => vain),
  ];
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
