import { Job } from "../../../src/api/batch/job.ts";
import { ConfigMap } from "../../../src/api/core/config-map.ts";
import { Node } from "../../../src/api/core/node.ts";
import { Pod } from "../../../src/api/core/pod.ts";
import type { Kind } from "../../../src/api/machinery/kind.ts";
import type { KubeObject } from "../../../src/api/machinery/object.ts";
import { isStatusError } from "../../../src/api/machinery/status-error.ts";
import { sleep, type Clock } from "../../../src/base/clock.ts";
import type { Client, Patch } from "../../../src/client/client.ts";
import type { V1Job, V1Node } from "../../../src/gen/types.ts";
import { FINALIZER, placeOf, WITHOUT_FINALIZER } from "./step.ts";

/** Between two attempts of what failed, in ms. */
const RETRY_MS = 1000;

/**
 * Takes back what would keep a world from rest: users' finalizers, taints that would evict for ever, and what keeps Jobs from
 * replacing Pods that wait for that.
 */
export async function tidyUp(
  client: Client,
  clock: Clock,
  present: (resource: string) => readonly KubeObject[],
): Promise<void> {
  const letGo: Patch = { type: "strategic", body: { metadata: WITHOUT_FINALIZER } };
  for (const [kind, resource] of [
    [Pod, "pods"],
    [ConfigMap, "configmaps"],
  ] as const)
    for (const object of present(resource))
      if (object.metadata?.finalizers?.includes(FINALIZER))
        await insist(client, clock, kind, object, letGo);
  for (const job of (present("batch/jobs") as readonly V1Job[]).filter(isHeldBack))
    await insist(client, clock, Job, job, {
      type: "merge",
      body: { spec: { suspend: false, parallelism: job.spec?.completions ?? 1 } },
    });
  for (const node of present("nodes") as readonly V1Node[]) {
    const taints = node.spec?.taints?.filter(({ effect }) => effect !== "NoExecute") ?? null;
    if (taints?.length === node.spec?.taints?.length) continue;
    await insist(client, clock, Node, node, { type: "merge", body: { spec: { taints } } });
  }
}

/**
 * A failed Pod of an index stays until its replacement has its count of failures: one must be allowed to come, though those of
 * other indexes now run for ever.
 */
function isHeldBack({ spec }: V1Job): boolean {
  if (spec?.backoffLimitPerIndex === undefined) return false;
  const { suspend, parallelism = 1, completions = 1 } = spec;
  return !!suspend || parallelism < completions;
}

/** Patches until it is done, or the object is gone. */
async function insist(
  client: Client,
  clock: Clock,
  kind: Kind,
  object: KubeObject,
  patch: Patch,
): Promise<void> {
  for (;;) {
    try {
      await client.patch(kind, placeOf(object), patch);
      return;
    } catch (error) {
      if (isStatusError(error, "NotFound")) return;
    }
    await sleep(clock, RETRY_MS);
  }
}
