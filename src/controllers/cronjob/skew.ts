import { SCHEDULED_TIMESTAMP } from "../../api/batch/job-state.ts";
import { parseTime } from "../../base/clock.ts";
import type { MetricRegistry } from "../../base/metrics.ts";
import { exponentialBounds, type LoopMeter } from "../../reconciler/loop-meter.ts";

/** How late runs begin. @spec k8s@1.36 pkg/controller/cronjob/metrics/metrics.go */
export function skewMeter(registry: MetricRegistry): LoopMeter {
  const observe = registry
    .histogram(
      "cronjob_controller_job_creation_skew_duration_seconds",
      "Time between when a cronjob is scheduled to be run, and when the corresponding job is created",
      exponentialBounds(1, 2, 10),
    )
    .observer([]);
  return {
    planned:
      ({ plan }) =>
      ({ applied }) => {
        for (const [index, { metadata }] of applied.results) {
          if (plan.writes?.[index]?.verb !== "create") continue;
          const due = parseTime(metadata?.annotations?.[SCHEDULED_TIMESTAMP] ?? "");
          const made = parseTime(metadata?.creationTimestamp ?? "");
          if (!Number.isNaN(made - due)) observe((made - due) / 1000);
        }
      },
  };
}
