import { budgets } from "./budgets.ts";
import { capacity } from "./capacity.ts";
import type { Checker } from "./checker.ts";
import { claims } from "./claims.ts";
import { cleared } from "./cleared.ts";
import { complaints } from "./complaints.ts";
import { cronJobs } from "./cron-jobs.ts";
import { daemonLimits } from "./daemon-limits.ts";
import { daemonSets } from "./daemon-sets.ts";
import { deployments } from "./deployments.ts";
import { endpoints } from "./endpoints.ts";
import { furniture } from "./furniture.ts";
import { jobEnds } from "./job-ends.ts";
import { jobLimits } from "./job-limits.ts";
import { ordinals } from "./ordinals.ts";
import { orphans } from "./orphans.ts";
import { pods } from "./pods.ts";
import { preemptions } from "./preemptions.ts";
import { quotas } from "./quotas.ts";
import { reads } from "./reads.ts";
import { replicaSets } from "./replica-sets.ts";
import { rollouts } from "./rollouts.ts";
import { setOrder } from "./set-order.ts";
import { statefulSets } from "./stateful-sets.ts";
import { surplus } from "./surplus.ts";
import { watches } from "./watches.ts";
import { writes } from "./writes.ts";

/** Everything that a world is judged by. */
export const allCheckers: readonly Checker[] = [
  complaints,
  writes,
  reads,
  watches,
  capacity,
  rollouts,
  surplus,
  ordinals,
  setOrder,
  daemonLimits,
  jobLimits,
  cronJobs,
  budgets,
  quotas,
  preemptions,
  claims,
  furniture,
  orphans,
  pods,
  replicaSets,
  deployments,
  statefulSets,
  jobEnds,
  daemonSets,
  endpoints,
  cleared,
];
