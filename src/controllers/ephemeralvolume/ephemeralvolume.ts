import { PersistentVolumeClaim } from "../../api/core/persistent-volume-claim.ts";
import { Pod } from "../../api/core/pod.ts";
import { formatKey, parseKey, type ObjectKey } from "../../api/machinery/object.ts";
import type { Cache } from "../../client/cache.ts";
import type { V1Volume } from "../../gen/types.ts";
import type { Plan, PlannedEvent, PlannedWrite } from "../../reconciler/controller.ts";
import {
  controllerOf,
  controllerReference,
  isBeingDeleted,
  isControlledBy,
} from "../../reconciler/ownership.ts";
import type { Loop } from "../../reconciler/runner.ts";
import { fixedKinds } from "../../reconciler/served-kinds.ts";

/** A generic ephemeral volume, and the claim of its name. */
export interface Observed {
  readonly pod: Pod;
  readonly volumes: readonly {
    readonly volume: V1Volume;
    readonly claim: PersistentVolumeClaim | undefined;
  }[];
}

/**
 * Makes the claims of generic ephemeral volumes.
 *
 * @spec k8s@1.36 pkg/controller/volume/ephemeral/controller.go
 */
export function ephemeralVolumeLoop(cache: Cache): Loop {
  return {
    name: "ephemeral-volume-controller",
    eventSource: "ephemeral_volume",
    kinds: fixedKinds([Pod, PersistentVolumeClaim]),
    keysOf({ kind, key, old, object }) {
      if ((kind as unknown) === Pod)
        return isOurs(object as Pod | undefined) ? [formatKey(key)] : NONE;
      // One that went must be made anew while its Pod is there.
      const owner = !object && old && controllerOf(old);
      return owner && owner.kind === "Pod" ? [formatKey({ ...key, name: owner.name })] : NONE;
    },
    decide(text) {
      const key = parseKey(text);
      const pod = cache.get(Pod, key);
      if (!pod || !isOurs(pod)) return undefined;
      const primary = { kind: Pod, object: pod, observesGeneration: false };
      return { plan: plan(observe(cache, pod, key)), primary };
    },
  };
}

const NONE: readonly string[] = [];

function isOurs(pod: Pod | undefined): boolean {
  return pod?.spec?.volumes?.some(({ ephemeral }) => ephemeral) === true && !isBeingDeleted(pod);
}

function observe(cache: Cache, pod: Pod, { namespace }: ObjectKey): Observed {
  const volumes = (pod.spec?.volumes ?? []).filter(({ ephemeral }) => ephemeral);
  return {
    pod,
    volumes: volumes.map((volume) => ({
      volume,
      claim: cache.get(PersistentVolumeClaim, { namespace, name: claimName(pod, volume) }),
    })),
  };
}

/** @spec component-helpers/storage/ephemeral VolumeClaimName */
function claimName({ metadata }: Pod, { name }: V1Volume): string {
  return `${metadata?.name ?? ""}-${name}`;
}

/** Pure. The volumes after one that cannot be had wait for it, as upstream. */
export function plan({ pod, volumes }: Observed): Plan {
  const writes: PlannedWrite[] = [];
  const events: PlannedEvent[] = [];
  for (const { volume, claim } of volumes) {
    if (claim && isControlledBy(claim, pod)) continue;
    const failed = (why: string): PlannedEvent => ({
      type: "Warning",
      reason: "FailedBinding",
      message: `ephemeral volume ${volume.name}: ${why}`,
    });
    if (claim) {
      const { namespace, name } = claim.metadata ?? {};
      const owner = `pod ${namespace}/${pod.metadata?.name}`;
      const problem = `PVC ${namespace}/${name} was not created for ${owner} (pod is not owner)`;
      events.push(failed(problem));
      break;
    }
    events.push({
      ...failed(`create PVC ${claimName(pod, volume)}: {error}`),
      afterWrite: writes.length,
      onFailure: true,
    });
    writes.push({ verb: "create", kind: PersistentVolumeClaim, object: claimOf(pod, volume) });
  }
  return { ...(writes.length > 0 && { writes }), ...(events.length > 0 && { events }) };
}

function claimOf(pod: Pod, volume: V1Volume): PersistentVolumeClaim {
  const { metadata, spec } = volume.ephemeral?.volumeClaimTemplate ?? {};
  const { annotations, labels } = metadata ?? {};
  const name = claimName(pod, volume);
  return {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: {
      name,
      namespace: pod.metadata?.namespace ?? "",
      ...(annotations && { annotations }),
      ...(labels && { labels }),
      ownerReferences: [controllerReference(Pod, pod)],
    },
    ...(spec && { spec }),
  };
}
