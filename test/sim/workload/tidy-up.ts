import { CronJob } from "../../../src/api/batch/cron-job.ts";
import { Job } from "../../../src/api/batch/job.ts";
import { ConfigMap } from "../../../src/api/core/config-map.ts";
import { Node } from "../../../src/api/core/node.ts";
import { Pod } from "../../../src/api/core/pod.ts";
import { ResourceQuota } from "../../../src/api/core/resource-quota.ts";
import type { Kind } from "../../../src/api/machinery/kind.ts";
import type { KubeObject } from "../../../src/api/machinery/object.ts";
import { sleep, type Clock } from "../../../src/base/clock.ts";
import type { Client, Patch } from "../../../src/client/client.ts";
import type { V1CronJob, V1Job, V1Node, V1ResourceQuota } from "../../../src/gen/types.ts";
import { insist } from "./insist.ts";
import { generous } from "./quotas.ts";
import { FINALIZER, placeOf, WITHOUT_FINALIZER } from "./step.ts";

/** How long CronJobs go on when all is well, in ms: one that is due each minute is due in that time. */
export const CRON_MS = 130_000;

/**
 * Takes back what would keep a world from rest: users' finalizers, taints that would evict for ever, quotas that refuse, what keeps Jobs
 * from replacing Pods that wait for that; and, when they have gone on for a while, the schedules of CronJobs.
 */
export async function tidyUp(
  client: Client,
  clock: Clock,
  present: (resource: string) => readonly KubeObject[],
): Promise<void> {
  const patch = (kind: Kind, object: KubeObject, by: Patch): Promise<void> =>
    insist(clock, () => client.patch(kind, placeOf(object), by));
  const merge = (kind: Kind, object: KubeObject, spec: object): Promise<void> =>
    patch(kind, object, { type: "merge", body: { spec } });
  const letGo: Patch = { type: "strategic", body: { metadata: WITHOUT_FINALIZER } };
  for (const [kind, resource] of [
    [Pod, "pods"],
    [ConfigMap, "configmaps"],
  ] as const)
    for (const object of present(resource))
      if (object.metadata?.finalizers?.includes(FINALIZER)) await patch(kind, object, letGo);
  for (const quota of present("resourcequotas") as readonly V1ResourceQuota[])
    await merge(ResourceQuota, quota, { hard: generous(quota) });
  for (const node of present("nodes") as readonly V1Node[]) {
    const taints = node.spec?.taints?.filter(({ effect }) => effect !== "NoExecute") ?? null;
    if (taints?.length !== node.spec?.taints?.length) await merge(Node, node, { taints });
  }
  const cronJobs = (): readonly V1CronJob[] => present("batch/cronjobs") as readonly V1CronJob[];
  if (cronJobs().some(({ spec }) => !spec?.suspend)) await sleep(clock, CRON_MS);
  for (const cronJob of cronJobs())
    if (!cronJob.spec?.suspend) await merge(CronJob, cronJob, { suspend: true });
  for (const job of (present("batch/jobs") as readonly V1Job[]).filter(isHeldBack))
    await merge(Job, job, { suspend: false, parallelism: job.spec?.completions ?? 1 });
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
