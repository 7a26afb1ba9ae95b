import type { Random } from "../../../src/base/random.ts";
import { budgetSteps } from "./budgets.ts";
import { configMapSteps } from "./config-maps.ts";
import { cronJobSteps } from "./cron-jobs.ts";
import { daemonSetSteps } from "./daemon-sets.ts";
import { deploymentSteps } from "./deployments.ts";
import { jobSteps } from "./jobs.ts";
import { namespaceSteps } from "./namespaces.ts";
import { nodeSteps } from "./nodes.ts";
import { podSteps } from "./pods.ts";
import { quotaSteps } from "./quotas.ts";
import { replicaSetSteps } from "./replica-sets.ts";
import { serviceSteps } from "./services.ts";
import { statefulSetSteps } from "./stateful-sets.ts";
import type { Step } from "./step.ts";

/** Everything that users do in a world, by what they do it to. */
const GROUPS: readonly (readonly Step[])[] = [
  namespaceSteps,
  deploymentSteps,
  replicaSetSteps,
  statefulSetSteps,
  jobSteps,
  cronJobSteps,
  daemonSetSteps,
  podSteps,
  budgetSteps,
  quotaSteps,
  serviceSteps,
  configMapSteps,
  nodeSteps,
];
/** How much more often users do what a world is about. */
const THEME = 4;

/** What users do in one world: all of it, and two groups more often than the others, or too little would come together. */
export function stepsOf(random: Random): readonly Step[] {
  const themes = [random.integer(GROUPS.length), random.integer(GROUPS.length)];
  return GROUPS.flatMap((group, index) =>
    themes.includes(index)
      ? group.map((step) => ({ ...step, weight: step.weight * THEME }))
      : group,
  );
}
