// Whole lives of Jobs on random paths: the controller ends between any two writes, Pods end and are deleted at any time.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SeededRandom } from "../../base/seeded-random.ts";
import { formatTime } from "../../base/clock.ts";
import {
  COMPLETION_INDEX,
  isJobComplete,
  isJobFinished,
  JOB_TRACKING,
} from "../../api/batch/job-state.ts";
import { validateJobStatus } from "../../api/batch/job-status-validation.ts";
import { Job } from "../../api/batch/job.ts";
import type { Pod } from "../../api/core/pod.ts";
import type { PlannedWrite } from "../../reconciler/controller.ts";
import { isPodActive } from "../../reconciler/pod-state.ts";
import type { JobSpec } from "./job-pods.ts";
import { plan } from "./job.ts";

const SEEDS = 150;
const STEPS = 120;
const LABELS = { app: "x" };

/** A server and a kubelet, as far as one Job sees them. */
class World {
  readonly #random: SeededRandom;
  readonly pods = new Map<string, Pod>();
  job: Job;
  now = Date.UTC(2026, 0, 1);
  #created = 0;
  /** What really happened to Pods, by name. */
  readonly ended = { ok: new Set<string>(), bad: new Set<string>() };

  constructor(random: SeededRandom, spec: Partial<JobSpec>) {
    this.#random = random;
    this.job = {
      metadata: { name: "job", namespace: "d", uid: "job" },
      spec: {
        backoffLimit: 6,
        completionMode: "NonIndexed",
        selector: { matchLabels: LABELS },
        template: {
          metadata: { labels: LABELS },
          spec: { containers: [{ name: "c", image: "i" }], restartPolicy: "Never" },
        },
        ...spec,
      },
      status: {},
    };
  }

  get active(): readonly Pod[] {
    return [...this.pods.values()].filter(isPodActive);
  }

  /** Plans, and carries out the first `writesMax` writes; the status is the last. */
  reconcile(writesMax = Infinity): void {
    if (isJobFinished(this.job)) {
      for (const pod of this.pods.values()) this.#untrack(pod);
      return;
    }
    const result = plan({ job: this.job, pods: [...this.pods.values()], gone: [] }, this.now);
    const object = { ...this.job, status: result.status } as Job;
    const status: PlannedWrite = { verb: "update", kind: Job, object };
    const all = [...(result.writes ?? []), ...(result.status ? [status] : [])];
    for (const write of all.slice(0, writesMax)) this.#apply(write);
  }

  #apply(write: PlannedWrite): void {
    if (write.verb === "create") this.#create(write.object);
    else if (write.verb === "update") {
      const job = write.object as Job;
      assert.deepEqual(validateJobStatus(job, this.job), [], "the server takes the status");
      this.job = job;
    } else {
      const pod = this.pods.get(write.key.name);
      if (!pod) return;
      if (write.verb === "patch") this.#untrack(pod);
      else this.delete(pod);
    }
  }

  #create(object: Pod): void {
    const name = `p${this.#created++}`;
    this.pods.set(name, {
      ...object,
      metadata: { ...object.metadata, name, uid: name, creationTimestamp: formatTime(this.now) },
      status: { phase: "Running" },
    });
  }

  #put(pod: Pod): void {
    const { name = "", finalizers = [], deletionTimestamp } = pod.metadata ?? {};
    const hasEnded = pod.status?.phase !== "Running";
    if (deletionTimestamp && hasEnded && finalizers.length === 0) this.pods.delete(name);
    else this.pods.set(name, pod);
  }

  #untrack(pod: Pod): void {
    const finalizers = pod.metadata?.finalizers?.filter((name) => name !== JOB_TRACKING) ?? [];
    this.#put({ ...pod, metadata: { ...pod.metadata, finalizers } });
  }

  delete(pod: Pod): void {
    const deletionTimestamp = formatTime(this.now);
    this.#put({ ...pod, metadata: { ...pod.metadata, deletionTimestamp } });
  }

  /** The kubelet reports the end of a Pod. */
  end(pod: Pod, phase: "Succeeded" | "Failed"): void {
    if (pod.metadata?.finalizers?.includes(JOB_TRACKING))
      this.ended[phase === "Succeeded" ? "ok" : "bad"].add(pod.metadata.name!);
    this.#put({ ...pod, status: { phase } });
  }

  /** Anything that may happen. */
  happen(): void {
    this.now += this.#random.integer(20_000);
    const running = [...this.pods.values()].filter(({ status }) => status?.phase === "Running");
    const pod = running[this.#random.integer(Math.max(1, running.length))];
    switch (this.#random.integer(8)) {
      case 0:
        return pod && this.end(pod, "Succeeded");
      case 1:
        return pod && this.end(pod, "Failed");
      case 2:
        return pod && this.delete(pod);
      case 3:
        return this.reconcile(this.#random.integer(3));
      default:
        return this.reconcile();
    }
  }

  /** All goes well from here. */
  finish(): void {
    for (let round = 0; round < 500 && !isJobFinished(this.job); round++) {
      this.now += 600_000;
      for (const pod of [...this.pods.values()])
        if (pod.status?.phase === "Running") this.end(pod, "Succeeded");
      this.reconcile();
    }
    for (let round = 0; round < 5; round++) this.reconcile();
  }
}

function lives(what: string, spec: Partial<JobSpec>, check: (world: World) => void): void {
  it(`${what}, on ${SEEDS} random paths`, () => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      const world = new World(new SeededRandom(seed), spec);
      for (let step = 0; step < STEPS; step++) {
        world.happen();
        assert.ok(world.active.length <= (spec.parallelism ?? 1), `seed ${seed}: too many at once`);
      }
      world.finish();
      assert.ok(isJobFinished(world.job), `seed ${seed}: it ends`);
      assert.deepEqual(world.job.status?.uncountedTerminatedPods, {}, `seed ${seed}`);
      assert.equal(
        [...world.pods.values()].some((pod) => pod.metadata?.finalizers?.length),
        false,
        `seed ${seed}: every Pod is let go`,
      );
      check(world);
    }
  });
}

describe("a Job's life", () => {
  lives(
    "counts each success once and creates no more Pods than it needs",
    { parallelism: 3, completions: 5, backoffLimit: 1000, podReplacementPolicy: "Failed" },
    ({ job, ended }) => {
      assert.ok(isJobComplete(job));
      assert.equal(job.status?.succeeded, 5);
      assert.equal(ended.ok.size, 5);
    },
  );

  lives(
    "never goes over its limit of failures",
    { parallelism: 2, completions: 8, backoffLimit: 2, podReplacementPolicy: "Failed" },
    ({ job, ended }) => {
      if (isJobComplete(job)) return assert.equal(job.status?.failed ?? 0, ended.bad.size);
      assert.ok((job.status?.failed ?? 0) > 2);
      // Two run at once: with the one beyond the limit one more can have failed, or was ended.
      assert.ok((job.status?.failed ?? 0) <= 4);
    },
  );

  lives(
    "Indexed: each index succeeds once",
    { parallelism: 3, completions: 6, completionMode: "Indexed", backoffLimit: 1000 },
    ({ job, pods }) => {
      assert.equal(job.status?.completedIndexes, "0-5");
      const done = [...pods.values()]
        .filter(({ status }) => status?.phase === "Succeeded")
        .map(({ metadata }) => metadata?.annotations?.[COMPLETION_INDEX]);
      assert.equal(new Set(done).size, done.length, "no index twice");
    },
  );
});
