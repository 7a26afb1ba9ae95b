import { Job } from "../../../src/api/batch/job.ts";
import type { V1Job, V1JobSpec } from "../../../src/gen/types.ts";
import { anyContainer, PROGRAM } from "./pod-shape.ts";
import { anyPriority } from "./priorities.ts";
import { APPS, placeOf, type Scene, type Step } from "./step.ts";

const RESOURCE = "batch/jobs";

/** What users do with Jobs. */
export const jobSteps: readonly Step[] = [
  { name: "create a Job", weight: 9, run: create },
  { name: "suspend a Job", weight: 2, run: change(() => ({ suspend: true })) },
  { name: "resume a Job", weight: 3, run: change(() => ({ suspend: false })) },
  {
    name: "change how many Pods of a Job run",
    weight: 3,
    run: change(({ random }) => ({ parallelism: random.integer(4) })),
  },
  { name: "delete a Job", weight: 3, run: remove },
];

async function create(scene: Scene): Promise<unknown> {
  const app = scene.oneOf(...APPS);
  return scene.client.create(Job, {
    metadata: { name: `${app}-job`, namespace: scene.namespace(), annotations: scene.marked() },
    spec: anySpec(scene, app),
  });
}

/** @returns one whose programs end well, or not. */
export function anySpec(scene: Scene, app: string): V1JobSpec {
  const program = scene.oneOf(PROGRAM, PROGRAM, "crash");
  const isIndexed = scene.isLucky(30);
  const restartPolicy = scene.oneOf("Never", "Never", "OnFailure");
  return {
    parallelism: scene.random.integer(4),
    ...((isIndexed || scene.isLucky(60)) && { completions: 1 + scene.random.integer(4) }),
    ...(isIndexed && { completionMode: "Indexed" }),
    ...(isIndexed && scene.isLucky(30) && anyIndexLimits(scene)),
    ...(isIndexed && scene.isLucky(15) && { successPolicy: { rules: [{ succeededCount: 1 }] } }),
    ...(restartPolicy === "Never" && scene.isLucky(20) && { podFailurePolicy: anyPolicy(scene) }),
    ...(scene.isLucky(70) && { backoffLimit: scene.random.integer(3) }),
    ...(scene.isLucky(15) && { activeDeadlineSeconds: 1 + scene.random.integer(60) }),
    ...(scene.isLucky(25) && { ttlSecondsAfterFinished: scene.random.integer(20) }),
    ...(scene.isLucky(10) && { suspend: true }),
    ...(scene.isLucky(15) && { podReplacementPolicy: "Failed" }),
    template: {
      metadata: { labels: { app } },
      spec: {
        containers: [{ ...anyContainer(scene), name: program }],
        restartPolicy,
        terminationGracePeriodSeconds: scene.oneOf(0, 2, 10),
        ...anyPriority(scene),
      },
    },
  };
}

function anyIndexLimits(scene: Scene): Partial<V1JobSpec> {
  return {
    backoffLimitPerIndex: scene.random.integer(2),
    ...(scene.isLucky(40) && { maxFailedIndexes: scene.random.integer(2) }),
  };
}

/** What a Pod's end means, besides a failure. */
function anyPolicy(scene: Scene): NonNullable<V1JobSpec["podFailurePolicy"]> {
  const onPodConditions = [{ type: "DisruptionTarget", status: "True" }];
  const onExitCodes = { operator: "In", values: [1, 137] };
  return {
    rules: scene.oneOf(
      [{ action: "Ignore", onPodConditions }],
      [{ action: "FailJob", onExitCodes }],
      [
        { action: "Ignore", onPodConditions },
        { action: "Count", onExitCodes },
      ],
    ),
  };
}

/** Patches one Job's spec. */
function change(partOf: (scene: Scene) => Partial<V1JobSpec>): Step["run"] {
  return async (scene) => {
    const job = scene.anyOf<V1Job>(RESOURCE);
    if (!job) return;
    const body = { metadata: { annotations: scene.marked() }, spec: partOf(scene) };
    return scene.client.patch(Job, placeOf(job), { type: "merge", body });
  };
}

async function remove(scene: Scene): Promise<unknown> {
  const job = scene.anyOf<V1Job>(RESOURCE);
  if (!job) return;
  const propagation = scene.oneOf("Orphan", "Background", "Background", "Foreground");
  return scene.client.delete(Job, placeOf(job), { propagation });
}
