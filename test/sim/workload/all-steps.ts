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

/** Everything that users do in a world. */
export const allSteps: readonly Step[] = [
  ...namespaceSteps,
  ...deploymentSteps,
  ...replicaSetSteps,
  ...statefulSetSteps,
  ...jobSteps,
  ...cronJobSteps,
  ...daemonSetSteps,
  ...podSteps,
  ...budgetSteps,
  ...quotaSteps,
  ...serviceSteps,
  ...configMapSteps,
  ...nodeSteps,
];
