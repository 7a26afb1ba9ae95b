// Jobs and CronJobs on real Pods: run to the end, once, at their time.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { startCluster, type TestCluster, until } from "../support/cluster.ts";

interface JobOptions {
  readonly spec?: object;
  readonly podSpec?: object;
  readonly restartPolicy?: string;
}

/** A Job whose Pods run a script of busybox. */
function shellJob(name: string, script: string, options: JobOptions = {}): object {
  const { spec = {}, podSpec = {}, restartPolicy = "Never" } = options;
  const containers = [{ name: "main", image: "busybox:1.29", command: ["/bin/sh", "-c", script] }];
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name },
    spec: {
      ...spec,
      template: {
        spec: { restartPolicy, terminationGracePeriodSeconds: 1, containers, ...podSpec },
      },
    },
  };
}

/** A CronJob of such Jobs. */
function cronJob(name: string, schedule: string, job: object): object {
  const jobTemplate = { spec: (job as { spec: object }).spec };
  const metadata = { name };
  return { apiVersion: "batch/v1", kind: "CronJob", metadata, spec: { schedule, jobTemplate } };
}

interface JobView {
  readonly status: {
    readonly succeeded?: number;
    readonly failed?: number;
    readonly completedIndexes?: string;
    readonly conditions?: readonly { readonly type: string; readonly reason?: string }[];
  };
}

interface PodViews {
  readonly items: readonly {
    readonly metadata: {
      readonly name: string;
      readonly uid: string;
      readonly finalizers?: readonly string[];
    };
    readonly spec: { readonly hostname?: string; readonly nodeName?: string };
    readonly status: {
      readonly phase: string;
      readonly containerStatuses: readonly { readonly restartCount: number }[];
    };
  }[];
}

describe("Jobs and CronJobs", { concurrency: 8 }, () => {
  let cluster: TestCluster;
  const run = (line: string): Promise<string> => cluster.kubectl(line);
  const podsOf = async (job: string): Promise<PodViews["items"]> =>
    (await cluster.read<PodViews>(`pods -l batch.kubernetes.io/job-name=${job}`)).items;
  const ended = (job: string, condition: string): Promise<string> =>
    run(`wait --for=condition=${condition} job/${job} --timeout=50s`);

  before(async () => {
    cluster = await startCluster(["busybox"]);
  });
  after(() => cluster?.close());

  it("JB-01 JB-03 a Job ends when all its Pods have run; none of them is started again", async () => {
    const spec = { completions: 3, parallelism: 2 };
    await cluster.apply([shellJob("migration", "echo migrated", { spec })]);
    await ended("migration", "Complete");
    assert.match(await run("get job migration --no-headers"), /^migration +Complete +3\/3 /);
    const pods = await podsOf("migration");
    assert.deepEqual(
      pods.map(({ status }) => [status.phase, status.containerStatuses[0]!.restartCount]),
      [1, 2, 3].map(() => ["Succeeded", 0]),
    );
    assert.deepEqual(pods.map(({ metadata }) => metadata.finalizers), [1, 2, 3].map(() => undefined)); // prettier-ignore
    assert.match(await run("logs job/migration"), /migrated/);
    assert.match(
      await run("describe job migration"),
      /Completed +\S+ +job-controller +Job completed/,
    );
    // its Pods stay, the same ones, and nothing comes after them
    await run("annotate job migration touched=yes");
    const later = await podsOf("migration");
    assert.deepEqual(
      later.map(({ metadata }) => metadata.uid).sort(),
      pods.map(({ metadata }) => metadata.uid).sort(),
    );
    await run("delete job migration");
    await until("its Pods go with it", async () => (await podsOf("migration")).length === 0);
  });

  it("JB-02 a Job in the manifest of an add-on is created with the rest", async () => {
    const config = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "calico-config" } };
    const items = [config, shellJob("configure-calico", "true")];
    const stdin = JSON.stringify({ apiVersion: "v1", kind: "List", items });
    const said = await cluster.kubectl("create -f -", { stdin });
    assert.match(said, /configmap\/calico-config created\njob\.batch\/configure-calico created\n/);
    await ended("configure-calico", "Complete");
  });

  it("an Indexed Job gives each Pod its number, and a failing one gives up at its limit", async () => {
    const indexed = { completions: 3, parallelism: 3, completionMode: "Indexed" };
    await cluster.apply([
      shellJob("numbered", 'echo "$JOB_COMPLETION_INDEX on $(hostname)"', { spec: indexed }),
      shellJob("hopeless", "exit 3", { spec: { backoffLimit: 0 } }),
      shellJob("restarted", "exit 3", { spec: { backoffLimit: 1 }, restartPolicy: "OnFailure" }),
      shellJob("refused", "exit 42", {
        spec: {
          backoffLimit: 6,
          podFailurePolicy: {
            rules: [{ action: "FailJob", onExitCodes: { operator: "In", values: [42] } }],
          },
        },
      }),
    ]);
    await ended("numbered", "Complete");
    const { status } = await cluster.read<JobView>("job numbered");
    assert.equal(status.completedIndexes, "0-2");
    const logs = await run("logs -l batch.kubernetes.io/job-name=numbered");
    assert.deepEqual(
      logs.trim().split("\n").sort(),
      [0, 1, 2].map((i) => `${i} on numbered-${i}`),
    );
    for (const [name, reason] of [
      ["hopeless", "BackoffLimitExceeded"],
      ["restarted", "BackoffLimitExceeded"],
      ["refused", "PodFailurePolicy"],
    ]) {
      await ended(name!, "Failed");
      const { conditions } = (await cluster.read<JobView>(`job ${name}`)).status;
      assert.deepEqual(
        conditions?.map(({ type, reason: why }) => `${type} ${why}`),
        [`FailureTarget ${reason}`, `Failed ${reason}`],
      );
    }
    assert.equal((await podsOf("hopeless")).length, 1);
  });

  it("a suspended Job has no Pods, a resumed one runs, and one with a time to live goes", async () => {
    const spec = { suspend: true, ttlSecondsAfterFinished: 1 };
    await cluster.apply([shellJob("paused", "true", { spec })]);
    await ended("paused", "Suspended");
    assert.match(await run("get job paused --no-headers"), /^paused +Suspended +0\/1 /);
    assert.equal((await podsOf("paused")).length, 0);
    await run('patch job paused -p {"spec":{"suspend":false}}');
    await until("it ran and is gone", async () => (await run("get job paused --ignore-not-found")) === ""); // prettier-ignore
    assert.equal((await podsOf("paused")).length, 0);
  });

  /** The Jobs of a CronJob, oldest first. */
  const runsOf = async (name: string): Promise<readonly string[]> => {
    const lines = await run("get jobs --sort-by=.metadata.creationTimestamp -o name");
    return lines.split("\n").filter((line) => line.startsWith(`job.batch/${name}-`));
  };

  it("JB-04 a CronJob runs when its schedule says, and not before", async () => {
    const now = new Date();
    const due = new Date(now.getTime() + (now.getUTCSeconds() < 50 ? 60_000 : 120_000));
    const minute = due.getUTCMinutes();
    const hour = due.getUTCHours();
    await cluster.apply([
      cronJob("on-time", `${minute} ${hour} * * *`, shellJob("", "echo ran")),
      cronJob("later", `${minute} ${(hour + 2) % 24} * * *`, shellJob("", "echo ran")),
    ]);
    assert.match(await run("get cj on-time --no-headers"), /\* \* \* +<none> +False +0 +<none> /);
    const [job] = await until("it ran", () => runsOf("on-time").then((runs) => runs.length > 0 && runs), 80_000); // prettier-ignore
    const minutes = Math.floor(due.getTime() / 60_000);
    assert.equal(job, `job.batch/on-time-${minutes}`);
    await run(`wait --for=condition=Complete ${job} --timeout=40s`);
    const created = await run(`get ${job} -o jsonpath={.metadata.creationTimestamp}`);
    const lateSeconds = (Date.parse(created) - minutes * 60_000) / 1000;
    assert.ok(lateSeconds >= 0 && lateSeconds < 10, `${lateSeconds} s late`);
    await until("it is told", async () => /Created job on-time-/.test(await run("describe cj on-time"))); // prettier-ignore
    assert.deepEqual(await runsOf("later"), []);
  });

  it("JB-05 a CronJob's Pods go to any node, or to those that its manifest names", async () => {
    const nodeSelector = { "jobs-place": "chosen" };
    await cluster.apply([
      cronJob("anywhere", "@every 1s", shellJob("", "true")),
      cronJob("somewhere", "@every 1s", shellJob("", "true", { podSpec: { nodeSelector } })),
    ]);
    const podsBelow = async (name: string): Promise<PodViews["items"]> => {
      const { items } = await cluster.read<PodViews>("pods");
      return items.filter(({ metadata }) => metadata.name.startsWith(`${name}-`));
    };
    await until("one ran", async () =>
      (await podsBelow("anywhere")).some(({ status }) => status.phase === "Succeeded"),
    );
    const [waiting] = await until("the other waits", () => podsBelow("somewhere").then((pods) => pods.length > 0 && pods)); // prettier-ignore
    await until("and why", async () =>
      /didn't match Pod's node affinity\/selector/.test(
        await run(`describe pod ${waiting!.metadata.name}`),
      ),
    );
    await run("label nodes --all jobs-place=chosen");
    await until("it ran", async () =>
      (await podsBelow("somewhere")).some(({ status }) => status.phase === "Succeeded"),
    );
    await run("delete cj anywhere somewhere");
  });

  it("JB-06 a CronJob runs again and again, also when asked by hand", async () => {
    await cluster.apply([cronJob("again", "@every 1s", shellJob("", "echo once more"))]);
    await until("it ran", () => runsOf("again").then((runs) => runs.length > 0));
    assert.match(await run("create job again-by-hand --from=cronjob/again"), /job\.batch\/again-by-hand created/); // prettier-ignore
    await ended("again-by-hand", "Complete");
    const owner = await run(
      "get job again-by-hand -o jsonpath={.metadata.ownerReferences[0].kind}",
    );
    assert.equal(owner, "CronJob");
    const scheduled = async (): Promise<number> =>
      (await runsOf("again")).filter((name) => /again-\d+$/.test(name)).length;
    await until("the next minute has its own run", async () => (await scheduled()) > 1, 80_000);
    await run('patch cj again -p {"spec":{"suspend":true}}');
    assert.match(await run("get cj again --no-headers"), / True /);
  });
});
