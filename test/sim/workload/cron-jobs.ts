import { CronJob } from "../../../src/api/batch/cron-job.ts";
import type { V1CronJob, V1CronJobSpec } from "../../../src/gen/types.ts";
import { anySpec } from "./jobs.ts";
import { APPS, placeOf, type Scene, type Step } from "./step.ts";

const RESOURCE = "batch/cronjobs";

/** What users do with CronJobs. */
export const cronJobSteps: readonly Step[] = [
  { name: "create a CronJob", weight: 6, run: create },
  { name: "suspend a CronJob", weight: 1, run: change(() => ({ suspend: true })) },
  { name: "resume a CronJob", weight: 2, run: change(() => ({ suspend: false })) },
  {
    name: "change when a CronJob runs",
    weight: 2,
    run: change((scene) => ({ schedule: anySchedule(scene) })),
  },
  {
    name: "change what a CronJob does when runs meet",
    weight: 2,
    run: change((scene) => ({ concurrencyPolicy: anyPolicy(scene) })),
  },
  { name: "delete a CronJob", weight: 2, run: remove },
];

async function create(scene: Scene): Promise<unknown> {
  const app = scene.oneOf(...APPS);
  const limit = (): number => scene.random.integer(3);
  return scene.client.create(CronJob, {
    metadata: { name: `${app}-cron`, namespace: scene.namespace(), annotations: scene.marked() },
    spec: {
      schedule: anySchedule(scene),
      concurrencyPolicy: anyPolicy(scene),
      jobTemplate: { spec: anySpec(scene, app) },
      ...(scene.isLucky(30) && { timeZone: scene.oneOf("Europe/Berlin", "Asia/Kolkata") }),
      ...(scene.isLucky(40) && { successfulJobsHistoryLimit: limit() }),
      ...(scene.isLucky(40) && { failedJobsHistoryLimit: limit() }),
      ...(scene.isLucky(25) && { startingDeadlineSeconds: scene.oneOf(10, 60, 600) }),
      ...(scene.isLucky(10) && { suspend: true }),
    },
  });
}

/** Mostly each minute: worlds are short. */
function anySchedule(scene: Scene): string {
  return scene.oneOf("* * * * *", "* * * * *", "*/2 * * * *", "30 4 * * 1-5");
}

function anyPolicy(scene: Scene): "Allow" | "Forbid" | "Replace" {
  return scene.oneOf("Allow", "Forbid", "Forbid", "Replace");
}

/** Patches one CronJob's spec. */
function change(partOf: (scene: Scene) => Partial<V1CronJobSpec>): Step["run"] {
  return async (scene) => {
    const cronJob = scene.anyOf<V1CronJob>(RESOURCE);
    if (!cronJob) return;
    const body = { metadata: { annotations: scene.marked() }, spec: partOf(scene) };
    return scene.client.patch(CronJob, placeOf(cronJob), { type: "merge", body });
  };
}

async function remove(scene: Scene): Promise<unknown> {
  const cronJob = scene.anyOf<V1CronJob>(RESOURCE);
  if (!cronJob) return;
  const propagation = scene.oneOf("Orphan", "Background", "Background", "Foreground");
  return scene.client.delete(CronJob, placeOf(cronJob), { propagation });
}
