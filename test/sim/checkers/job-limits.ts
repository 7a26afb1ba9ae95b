import type { V1Job, V1Pod } from "../../../src/gen/types.ts";
import type { Checker } from "./checker.ts";
import { isTracked } from "./job-ends.ts";
import { isOver } from "./pod-requests.ts";
import { isEnding, isOf } from "./replica-sets.ts";
import { Versions } from "./versions.ts";
import { keyOf, WorldState } from "./world-state.ts";

/** What became of one Pod of a Job, and when. */
interface Fate {
  readonly madeAtMs: number;
  /** Since when its end counts, and as what. */
  end?: { readonly phase: string; readonly atMs: number };
}

/**
 * No Job makes a Pod beyond its parallelism, beyond what is missing of its completions, or after its backoff limit. Judged by what
 * its controller may have read.
 */
export const jobLimits: Checker = {
  name: "job limits",
  check({ changes, facts, heard }) {
    const state = new WorldState();
    const versions = new Versions();
    const fates = new Map<string, Map<string, Fate>>();
    const recorded = new Set<string>();
    return changes.flatMap((change) => {
      state.apply(change);
      versions.note(change);
      const { resource, old, object, atMs, key, revision } = change;
      if (resource === "batch/jobs" && object)
        for (const uid of uncountedUids(object)) recorded.add(uid);
      if (resource !== "pods") return [];
      const pod = (object ?? old) as V1Pod;
      const job = state.list<V1Job>("batch/jobs").find((one) => isOf(pod, one));
      if (!job) return [];
      const jobUid = job.metadata?.uid ?? "";
      const own = fates.get(jobUid) ?? new Map<string, Fate>();
      fates.set(jobUid, own);
      const fate = own.get(pod.metadata?.uid ?? "") ?? { madeAtMs: atMs };
      own.set(pod.metadata?.uid ?? "", fate);
      if (mustCount(pod)) fate.end ??= { phase: pod.status!.phase!, atMs };
      // Taken away by one who had not heard that it had ended: it counts for nothing, as upstream.
      const isLetGo = !object || !isTracked(pod);
      if (isLetGo && !recorded.has(pod.metadata?.uid ?? "")) delete fate.end;
      if (old) return [];
      const since = atMs - facts.staleMs;
      const isKnown = ({ metadata }: V1Pod): boolean =>
        metadata?.uid === pod.metadata?.uid ||
        heard === undefined ||
        heard.has(metadata?.uid ?? "") ||
        (own.get(metadata?.uid ?? "")?.madeAtMs ?? atMs) < since;
      const active = state
        .list<V1Pod>("pods")
        .filter((one) => isOf(one, job) && !isOver(one) && !isEnding(one) && isKnown(one));
      const jobs = versions
        .of<V1Job>("batch/jobs", keyOf(job), since)
        .filter((one) => one?.metadata?.uid === jobUid);
      const problem = excessOf(jobs as readonly V1Job[], active.length, [...own.values()], since);
      return problem ? [`${key} at ${revision}: ${problem}`] : [];
    });
  },
};

/**
 * It has ended by itself and waits to be counted as what it ended. One that was told to end before that may count as
 * failed, though it succeeds.
 */
function mustCount(pod: V1Pod): boolean {
  return isOver(pod) && isTracked(pod) && !isEnding(pod);
}

function uncountedUids({ status }: V1Job): readonly string[] {
  const { succeeded = [], failed = [] } = status?.uncountedTerminatedPods ?? {};
  return [...succeeded, ...failed];
}

/** `jobs`: what the Job may have been read as. */
function excessOf(
  jobs: readonly V1Job[],
  active: number,
  fates: readonly Fate[],
  since: number,
): string {
  const parallel = Math.max(
    ...jobs.map(({ spec }) => (spec?.suspend ? 0 : (spec?.parallelism ?? 1))),
  );
  if (active > parallel) return `${active} of its Job's Pods run, ${parallel} at most`;
  const countOf = (phase: string): number =>
    fates.filter(({ end }) => end?.phase === phase && end.atMs <= since).length;
  const succeeded = countOf("Succeeded");
  const { spec } = jobs.at(-1)!;
  const isIndexed = spec?.completionMode === "Indexed";
  const completions = spec?.completions ?? Infinity;
  if (!isIndexed && active > completions - succeeded)
    return `${active} of its Job's Pods run, and ${succeeded} of ${completions} have succeeded`;
  const failed = countOf("Failed");
  // Each index has its own, or a policy says which failures count.
  const isOther = spec?.backoffLimitPerIndex !== undefined || spec?.podFailurePolicy !== undefined;
  const limit = isOther ? Infinity : (spec?.backoffLimit ?? 6);
  return failed > limit ? `${failed} of its Job's Pods have failed, ${limit} may` : "";
}
