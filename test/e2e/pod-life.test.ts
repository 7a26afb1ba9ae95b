// What the rules of a Pod, its probes and its hooks look like over time: everything starts together and is looked at as it comes.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { startCluster, type TestCluster, until } from "../support/cluster.ts";
import { nginxDeployment, serviceOf, shellPod, WAITING } from "../support/sample-apps.ts";

const busybox = (name: string, script: string, more: object = {}): object => ({
  name,
  image: "busybox:1.29",
  command: ["/bin/sh", "-c", script],
  ...more,
});
/** A probe that says when it ran, in seconds since the machine's start, and then whether a file is there. */
const loggedProbe = (log: string, file: string, more: object = {}): object => ({
  exec: { command: ["/bin/sh", "-c", `cut -d' ' -f1 /proc/uptime >>${log}; test -e ${file}`] },
  ...more,
});
const STARTED = "cut -d' ' -f1 /proc/uptime >/tmp/started";
/** Serves `/`; with a file /tmp/stop the answer is 500. */
const STOPPABLE =
  "error_log /dev/stderr notice; pid /tmp/pid; events {} http { access_log off; server { listen 80; " +
  'location / { if (-f /tmp/stop) { return 500; } return 200 "ok\\n"; } } }';

/** A container as the node has it; `started` in ticks. */
interface NodeContainer {
  readonly started: number;
  readonly net: string;
  readonly mnt: string;
  readonly image: string;
  readonly command: string;
}

/** Asks containerd for the running containers of the Pod $1: a line of start, namespaces, image and command each. */
const LIST_CONTAINERS = `
ctr -n k8s.io containers ls 'labels."io.kubernetes.pod.name"=='$1 | while read id image rest; do
  pid=$(ctr -n k8s.io tasks ls | awk -v id="$id" '$1 == id && $3 == "RUNNING" { print $2 }')
  test -n "$pid" || continue
  printf '%s\\t%s\\t%s\\t%s\\t' "$(cut -d' ' -f22 /proc/$pid/stat)" "$(readlink /proc/$pid/ns/net)" \\
    "$(readlink /proc/$pid/ns/mnt)" "$image"
  tr '\\0' ' ' </proc/$pid/cmdline
  echo
done`;
/** The memory limit of the container that asks, whichever version of control groups the machine has. */
const MEMORY_LIMIT =
  "cat /sys/fs/cgroup/memory.max 2>/dev/null || cat /sys/fs/cgroup/memory/memory.limit_in_bytes";

describe("Pods over time", { concurrency: 4 }, () => {
  let cluster: TestCluster;
  const run = (line: string | readonly string[]): Promise<string> => cluster.kubectl(line);
  const row = (pod: string): Promise<string> => run(`get pod ${pod} --no-headers`);
  const field = (pod: string, path: string): Promise<string> =>
    run(["get", "pod", pod, "-o", `jsonpath={${path}}`]);
  const inside = (pod: string, script: string, container = "main"): Promise<string> =>
    run(["exec", pod, "-c", container, "--", "/bin/sh", "-c", script]);
  const ready = (pod: string): Promise<string> =>
    run(`wait --for=condition=Ready pod/${pod} --timeout=40s`);
  const endpoints = (name: string): Promise<string> =>
    run(`get endpoints ${name} -o jsonpath={.subsets[*].addresses[*].ip}`);
  /** What runs on the node for a Pod. */
  const containersOf = async (pod: string): Promise<NodeContainer[]> => {
    const { stdout } = await cluster.skiff(
      "ssh",
      "--",
      "/bin/sh",
      "-c",
      LIST_CONTAINERS,
      "sh",
      pod,
    );
    const lines = stdout.split("\n").filter((line) => line !== "");
    return lines.map((line) => {
      const [started, net, mnt, image, command] = line.split("\t");
      return { started: Number(started), net: net!, mnt: mnt!, image: image!, command: command! };
    });
  };
  const refusal = async (manifest: object): Promise<string> => {
    const stdin = JSON.stringify(manifest);
    const { code, stderr } = await cluster.tryKubectl("create -f -", { stdin });
    assert.equal(code, 1, stderr);
    return stderr;
  };
  /** Seconds since the machine's start that a file of a container holds. */
  const times = async (pod: string, path: string): Promise<number[]> =>
    (await inside(pod, `cat ${path} || true`)).trim().split("\n").map(Number);
  /** How long a deletion takes, in ms. */
  const deletionMs = async (pod: string): Promise<number> => {
    const begun = performance.now();
    await run(`delete pod ${pod}`);
    return performance.now() - begun;
  };

  before(async () => {
    cluster = await startCluster();
    await run(["create", "configmap", "stoppable", `--from-literal=nginx.conf=${STOPPABLE}`]);
    await cluster.apply([
      shellPod("probes-demo", `touch /tmp/healthy; sleep 4; rm /tmp/healthy; ${WAITING}`, {
        container: {
          livenessProbe: {
            exec: { command: ["cat", "/tmp/healthy"] },
            periodSeconds: 1,
            failureThreshold: 1,
          },
        },
      }),
      shellPod("steady", `touch /tmp/healthy; ${WAITING}`, {
        container: {
          livenessProbe: {
            exec: { command: ["cat", "/tmp/healthy"] },
            initialDelaySeconds: 3,
          },
        },
      }),
      shellPod("timeline", `${STARTED}; ${WAITING}`, {
        container: {
          readinessProbe: loggedProbe("/tmp/probed", "/tmp/up", {
            initialDelaySeconds: 4,
            periodSeconds: 2,
            successThreshold: 2,
            failureThreshold: 3,
          }),
        },
      }),
      shellPod("hanging", WAITING, {
        container: {
          livenessProbe: {
            exec: { command: ["sleep", "30"] },
            timeoutSeconds: 1,
            periodSeconds: 2,
          },
        },
      }),
      shellPod("two", "", {
        spec: {
          containers: [
            busybox("main", WAITING, {
              readinessProbe: loggedProbe("/tmp/probed", "/tmp/up", { periodSeconds: 1 }),
            }),
            busybox("other", `sleep 2; touch /tmp/ok; ${WAITING}`, {
              readinessProbe: loggedProbe("/tmp/probed", "/tmp/ok", { periodSeconds: 1 }),
              livenessProbe: loggedProbe("/tmp/lived", "/tmp/ok", {
                periodSeconds: 1,
                failureThreshold: 6,
              }),
            }),
          ],
        },
      }),
      shellPod("startups", "", {
        spec: {
          containers: ["main", "slow"].map((name, index) =>
            busybox(name, `${STARTED}; sleep ${1 + 3 * index}; touch /tmp/up; ${WAITING}`, {
              startupProbe: loggedProbe("/tmp/asked", "/tmp/up", {
                periodSeconds: 1,
                failureThreshold: 10,
              }),
              readinessProbe: loggedProbe("/tmp/probed", "/tmp/up", { periodSeconds: 1 }),
            }),
          ),
        },
      }),
      nginxDeployment("healing", {
        container: {
          command: ["nginx", "-c", "/etc/demo/nginx.conf", "-g", "daemon off;"],
          readinessProbe: {
            httpGet: { path: "/", port: 80 },
            periodSeconds: 1,
            failureThreshold: 1,
          },
          livenessProbe: {
            httpGet: { path: "/", port: 80 },
            periodSeconds: 2,
            failureThreshold: 4,
          },
          volumeMounts: [{ name: "conf", mountPath: "/etc/demo" }],
        },
        podSpec: { volumes: [{ name: "conf", configMap: { name: "stoppable" } }] },
      }),
      serviceOf("healing"),
      shellPod(
        "hooks",
        `echo run >>/work/runs; sleep 1; test $(wc -l </work/runs) -gt 1 || exit 1; ${WAITING}`,
        {
          container: {
            lifecycle: {
              postStart: { exec: { command: ["/bin/sh", "-c", "echo hook >>/work/hooks"] } },
            },
            volumeMounts: [{ name: "work", mountPath: "/work" }],
          },
          spec: { terminationGracePeriodSeconds: 20, volumes: [{ name: "work", emptyDir: {} }] },
        },
      ),
      shellPod("quitting", "", {
        spec: {
          terminationGracePeriodSeconds: 20,
          containers: [
            {
              name: "main",
              image: "nginx:1.14",
              // the shell is PID 1 and passes no signal on
              command: ["/bin/sh", "-c", "nginx -g 'daemon off;'; true"],
              lifecycle: { preStop: { exec: { command: ["nginx", "-s", "quit"] } } },
            },
          ],
        },
      }),
      shellPod("deaf", "", {
        spec: {
          terminationGracePeriodSeconds: 3,
          containers: [
            busybox(
              "main",
              `sh -c 'trap "echo child has TERM; exit" TERM; ${"while :; do sleep 1 & wait; done"}'; true`,
            ),
          ],
        },
      }),
      nginxDeployment("draining", {
        replicas: 2,
        container: {
          lifecycle: {
            preStop: {
              exec: { command: ["/bin/sh", "-c", "until test -e /tmp/seen; do sleep 0.2; done"] },
            },
          },
        },
      }),
      serviceOf("draining"),
      shellPod("clashing", "", {
        spec: {
          containers: [
            { name: "main", image: "nginx:1.14" },
            {
              name: "late",
              image: "nginx:1.14",
              command: ["/bin/sh", "-c", "sleep 1; exec nginx -g 'daemon off;'"],
            },
          ],
        },
      }),
      shellPod("retrying", WAITING, {
        container: { volumeMounts: [{ name: "work", mountPath: "/work" }] },
        spec: {
          initContainers: [
            busybox("flaky", "test -e /work/tried && exit 0; touch /work/tried; exit 5", {
              volumeMounts: [{ name: "work", mountPath: "/work" }],
            }),
          ],
          volumes: [{ name: "work", emptyDir: {} }],
        },
      }),
      shellPod("opening", "", {
        spec: {
          initContainers: [
            busybox(
              "early",
              "mkdir /www; httpd -p 80 -h /www; until test -e /tmp/go; do sleep 1; done",
              {
                ports: [{ containerPort: 80 }],
              },
            ),
          ],
          containers: [{ name: "main", image: "nginx:1.14" }],
        },
      }),
      serviceOf("opening"),
      shellPod("sized", WAITING, {
        container: {
          resources: { requests: { cpu: "100m", memory: "16Mi" }, limits: { memory: "64Mi" } },
        },
        spec: {
          initContainers: [
            busybox("big", "true", { resources: { requests: { cpu: "300m", memory: "8Mi" } } }),
          ],
        },
      }),
      shellPod("folded", "", {
        spec: {
          containers: [{ name: "main", image: "busybox:1.29", args: ["sleep", "1000"] }],
        },
      }),
      ...[
        ["paired", WAITING],
        ["leaving", "trap '' TERM; while :; do sleep 1; done"],
      ].map(([name, script]) =>
        shellPod(name!, "", {
          spec: {
            terminationGracePeriodSeconds: 2,
            containers: [busybox("main", script!), busybox("other", script!)],
          },
        }),
      ),
      shellPod("unhooked", WAITING, {
        container: {
          lifecycle: {
            preStop: { exec: { command: ["/bin/sh", "-c", "echo no luck >&2; exit 7"] } },
          },
        },
        spec: { terminationGracePeriodSeconds: 20 },
      }),
      shellPod("client", WAITING),
    ]);
    await cluster.apply(FOLDED);
    await ready("client");
  });
  after(() => cluster?.close());

  it("PR-17 while it is healthy, describe shows the events of a normal start, in their order", async () => {
    await ready("steady");
    const events = await until("all events", async () => {
      const text = await run("describe pods/steady");
      return text.includes("Started container main") && text.slice(text.indexOf("Events:"));
    });
    assert.match(
      events,
      new RegExp(
        "Normal +Scheduled .* Successfully assigned default/steady to e2e-\\d+-1\\n" +
          '.*Normal +Pulled .*"busybox:1\\.29".*\\n.*Normal +Created .* Created container main\\n' +
          ".*Normal +Started .* Started container main\\n",
      ),
    );
    assert.ok(!events.includes("Warning"), events);
  });

  it("PR-12 a probe's period is 10 s unless given", async () => {
    assert.equal(await field("steady", ".spec.containers[0].livenessProbe.periodSeconds"), "10");
    assert.match(
      await run("describe pod steady"),
      /^ +Liveness: .* delay=3s timeout=1s period=10s /m,
    );
  });

  it("PO-19 a container has a name and an image", async () => {
    const stderr = await refusal(shellPod("bare", "", { spec: { containers: [{}] } }));
    assert.match(stderr, /spec\.containers\[0\]\.name: Required value/);
    assert.match(stderr, /spec\.containers\[0\]\.image: Required value/);
  });

  it("PO-20 PO-21 several ports are declared; the protocol is TCP unless UDP or SCTP is said", async () => {
    const ports = (...protocols: readonly (string | undefined)[]): object =>
      shellPod("ported", WAITING, {
        container: {
          ports: protocols.map((protocol, index) => ({
            containerPort: [80, 443, 53][index],
            ...(protocol && { protocol }),
          })),
        },
      });
    assert.match(await refusal(ports("ICMP")), /ports\[0\]\.protocol: Unsupported value: "ICMP"/);
    await cluster.apply([ports(undefined, "UDP", "SCTP")]);
    await ready("ported");
    assert.match(await run("describe pod ported"), /^ +Ports: +80\/TCP, 443\/UDP, 53\/SCTP$/m);
  });

  it("PO-23 PO-24 args replace the image's command; a folded scalar keeps the lines of a loop", async () => {
    await ready("folded");
    assert.equal(await inside("folded", "tr '\\0' ' ' </proc/1/cmdline"), "sleep 1000 ");
    await ready("looping");
    await until("three rounds", async () =>
      (await run("logs looping")).startsWith("round 1\nround 2\nround 3\n"),
    );
  });

  it("PO-29 limits are in force inside, requests are counted", async () => {
    await ready("sized");
    assert.equal(await inside("sized", MEMORY_LIMIT), `${64 * 1024 ** 2}\n`);
    assert.match(await run("describe pod sized"), /Requests:\n +cpu: +100m\n +memory: +16Mi\n/);
  });

  it("PO-29 kubectl changes what a container that runs may use, and says why it cannot have more than the node has", async () => {
    const resize = (amounts: object): Promise<string> =>
      run([
        "patch",
        "pod",
        "resized",
        "--subresource=resize",
        `--patch=${JSON.stringify({ spec: { containers: [{ name: "main", resources: amounts }] } })}`,
      ]);
    await cluster.apply([
      shellPod("resized", WAITING, {
        container: { resources: { limits: { cpu: "200m", memory: "32Mi" } } },
      }),
    ]);
    await ready("resized");
    await resize({ requests: { memory: "48Mi" }, limits: { memory: "48Mi" } });
    await until("the container has it", async () =>
      (await inside("resized", MEMORY_LIMIT)).includes(String(48 * 1024 * 1024)),
    );
    await until("its status shows it", async () =>
      (await field("resized", ".status.containerStatuses[0].resources.limits.memory")).includes(
        "48Mi",
      ),
    );
    assert.equal(await field("resized", ".status.containerStatuses[0].restartCount"), "0");
    await resize({ requests: { cpu: "1000" }, limits: { cpu: "1000" } });
    await until("the refusal shows", async () =>
      (await run("describe pod resized")).includes("PodResizePending"),
    );
    assert.match(
      await field("resized", ".status.conditions[?(@.type=='PodResizePending')].message"),
      /^Node didn't have enough capacity: cpu, requested: 1000000, capacity: \d+$/,
    );
    assert.equal(
      await field("resized", ".status.containerStatuses[0].allocatedResources.cpu"),
      "200m",
    );
    await run("delete pod resized --grace-period=0 --force");
  });

  it("PO-44 a Pod counts as the larger of its containers together and its largest init container", async () => {
    assert.match(
      await run("describe node"),
      /^ +default +sized +300m \(\d+%\) +0 \(0%\) +16Mi \(0%\) +64Mi \(0%\) /m,
    );
    const huge = (name: string, cpu: string): object =>
      shellPod(name, WAITING, {
        spec: { initContainers: [busybox("big", "true", { resources: { requests: { cpu } } })] },
      });
    await cluster.apply([huge("too-big", "900")]);
    await until("the scheduler counts it", async () =>
      /FailedScheduling .* Insufficient cpu/.test(await run("describe pod too-big")),
    );
    assert.match(await row("too-big"), /^too-big +0\/1 +Pending /);
  });

  it("PO-05 two containers of a Pod cannot listen on the same port", async () => {
    await until("the second one fails", async () =>
      /^clashing +1\/2 +(Error|CrashLoopBackOff) /.test(await row("clashing")),
    );
    await until("its log says why", async () =>
      /bind\(\) to 0\.0\.0\.0:80 failed \(98: Address (already )?in use\)/.test(
        await run("logs clashing -c late"),
      ),
    );
  });

  it("PO-41 an init container that fails runs again until it leaves with 0", async () => {
    await ready("retrying");
    assert.equal(await field("retrying", ".status.initContainerStatuses[0].restartCount"), "1");
    assert.equal(
      await field("retrying", ".status.initContainerStatuses[0].state.terminated.exitCode"),
      "0",
    );
    assert.equal(await field("retrying", ".status.containerStatuses[0].restartCount"), "0");
  });

  it("PR-07 startup: no readiness probe runs before the startup probe has succeeded; the Pod is ready after all", async () => {
    await ready("startups");
    for (const [container, seconds] of [
      ["main", 1],
      ["slow", 4],
    ] as const) {
      const read = async (path: string): Promise<number[]> =>
        (await inside("startups", `cat ${path}`, container)).trim().split("\n").map(Number);
      const [started] = await read("/tmp/started");
      const asked = await read("/tmp/asked");
      const [probed] = await read("/tmp/probed");
      assert.ok(probed! - started! >= seconds, `${container}: ${probed} after ${started}`);
      assert.ok(probed! >= asked.at(-1)!, container);
    }
    assert.equal(await field("startups", ".status.containerStatuses[*].restartCount"), "0 0");
  });

  it("PR-11 PR-20 delay, period and thresholds make the time line of readiness", async () => {
    const first = await until("it is probed", async () => {
      const probes = await times("timeline", "/tmp/probed");
      return probes.length >= 3 && probes;
    });
    const [started] = await times("timeline", "/tmp/started");
    const delay = first[0]! - started!;
    assert.ok(delay > 3.5 && delay < 10, `first probe after ${delay} s`);
    // The mean: a probe that a busy machine starts late makes one period longer and the next one shorter.
    const period = (first.at(-1)! - first[0]!) / (first.length - 1);
    assert.ok(period > 1.5 && period < 5, `period ${period} s`);
    assert.match(await row("timeline"), /^timeline +0\/1 +Running +0 /);
    await inside("timeline", "cat /tmp/probed | wc -l >/tmp/before; touch /tmp/up");
    await ready("timeline");
    const counted = async (): Promise<number> => (await times("timeline", "/tmp/probed")).length;
    const [before] = await times("timeline", "/tmp/before");
    const successes = (await counted()) - before!;
    assert.ok(successes >= 2 && successes <= 5, `ready after ${successes} successes`);
    await inside("timeline", "cat /tmp/probed | wc -l >/tmp/before; rm /tmp/up");
    await until("not ready", async () => /^timeline +0\/1 /.test(await row("timeline")));
    const [beforeFailures] = await times("timeline", "/tmp/before");
    const failures = (await counted()) - beforeFailures!;
    assert.ok(failures >= 3 && failures <= 6, `unready after ${failures} failures`);
  });

  it("PR-13 a probe that takes longer than its timeout has failed", async () => {
    await until("it timed out", async () =>
      /Warning +Unhealthy .* Liveness probe (failed|errored).*timed out/.test(
        await run("describe pod hanging"),
      ),
    );
    await until("it was restarted", async () =>
      /^hanging +\d\/1 +\S+ +[1-9]/.test(await row("hanging")),
    );
  });

  it("PR-05 PR-06 a Pod is ready when all of its containers are, and healthy likewise", async () => {
    await until("one of two is ready", async () => /^two +1\/2 +Running/.test(await row("two")));
    const condition = '.status.conditions[?(@.type=="Ready")].status';
    assert.equal(await field("two", condition), "False");
    await inside("two", "touch /tmp/up");
    await ready("two");
    assert.match(await row("two"), /^two +2\/2 +Running +0 /);
    await inside("two", "rm /tmp/ok", "other");
    await until("not ready by the other", async () => /^two +1\/2 /.test(await row("two")));
    assert.equal(await field("two", condition), "False");
    await until("healed", async () => /^two +2\/2 +Running +1 /.test(await row("two")));
    const counts = await run([
      ...["get", "pod", "two", "-o"],
      "jsonpath={range .status.containerStatuses[*]}{.name}={.restartCount} {end}",
    ]);
    assert.equal(counts, "main=0 other=1 ");
  });

  it("PO-09 PO-10 a pause container is there first, holds the namespaces, and is one more than the Pod's own", async () => {
    await ready("paired");
    const [pause, ...own] = (await containersOf("paired")).sort((a, b) => a.started - b.started);
    assert.equal(pause!.command, "/pause -P ");
    assert.match(pause!.image, /pause/);
    assert.equal(own.length, 2);
    for (const { net, mnt, image } of own) {
      assert.equal(net, pause!.net);
      assert.notEqual(mnt, pause!.mnt);
      assert.match(image, /busybox:1\.29$/);
    }
  });

  it("PO-01 PO-03 there is nothing smaller than a Pod: containers are no resource, and come and go with theirs", async () => {
    const { code, stderr } = await cluster.tryKubectl("get containers");
    assert.equal(code, 1);
    assert.match(stderr, /the server doesn't have a resource type "containers"/);
    await ready("leaving");
    assert.equal((await containersOf("leaving")).length, 3);
    await run("delete pod leaving");
    assert.deepEqual(await containersOf("leaving"), []);
  });

  it("PR-16 with a readiness probe liveness needs no delay: two failures are allowed instead", async () => {
    const both = (name: string, startSeconds: number): object =>
      shellPod(name, `sleep ${startSeconds}; touch /tmp/up; ${WAITING}`, {
        container: {
          readinessProbe: loggedProbe("/tmp/probed", "/tmp/up", { periodSeconds: 1 }),
          livenessProbe: loggedProbe("/tmp/lived", "/tmp/up", {
            periodSeconds: 5,
            failureThreshold: 2,
          }),
        },
      });
    await cluster.apply([both("patient", 2), both("hopeless", 40)]);
    await ready("patient");
    await until("restarted", async () =>
      /^hopeless +0\/1 +Running +1 /.test(await row("hopeless")),
    );
    assert.match(await row("patient"), /^patient +1\/1 +Running +0 /);
    assert.ok((await times("patient", "/tmp/lived")).length >= 2);
  });

  it("PO-43 ports of an init container are not taken by a Service before the Pod is ready", async () => {
    const pod = "opening";
    await until("it initializes", async () => / Init:0\/1 /.test(await row(pod)));
    const ip = await until("its address", () => field(pod, ".status.podIP"));
    await until("the init container listens", async () =>
      (await cluster.tryKubectl(`exec client -- wget -q -O- http://${ip}/`)).stderr.includes("404"),
    );
    assert.equal(await endpoints(pod), "");
    const service = await run("get svc opening -o jsonpath={.spec.clusterIP}");
    const refused = await cluster.tryKubectl(`exec client -- wget -q -O- http://${service}/`);
    assert.match(refused.stderr, /Connection refused/);
    await inside(pod, "touch /tmp/go", "early");
    await ready(pod);
    await until("it is an end point", async () => (await endpoints(pod)) !== "");
  });

  it("PR-23 PR-26 both probes heal: no traffic while it fails, then a restart, then traffic again", async () => {
    await run("rollout status deploy/healing --timeout=30s");
    const pod = (await run("get pods -l app=healing -o jsonpath={.items[0].metadata.name}")).trim();
    const ip = await run("get svc healing -o jsonpath={.spec.clusterIP}");
    const ask = async (): Promise<boolean> =>
      (await cluster.tryKubectl(`exec client -- wget -q -O- http://${ip}/`)).stdout === "ok\n";
    await until("it serves", ask);
    await inside(pod, "touch /tmp/stop", "nginx");
    await until("it is taken out", async () => (await endpoints("healing")) === "");
    assert.ok(!(await ask()));
    await until("it was restarted", async () => /1\/1 +Running +1 /.test(await row(pod)));
    await until("it serves again", ask);
  });

  it("PR-19 the restarts of a Pod are counted and the last one is timed", async () => {
    await until(
      "two restarts",
      async () =>
        /^probes-demo +\d\/1 +\S+ +[2-9] \(\d+s ago\) +\d+s/.test(await row("probes-demo")),
      40_000,
    );
  });

  it("PR-36 hooks run at least once for each start", async () => {
    await until("the second run", async () => /^hooks +1\/1 +Running +1 /.test(await row("hooks")));
    assert.equal(await inside("hooks", "cat /work/runs"), "run\nrun\n");
    await until("the hook has run again", async () => {
      return (await inside("hooks", "cat /work/hooks")).split("\n").length > 2;
    });
  });

  it("PR-33 a preStop that fails is told by an event, and TERM follows all the same", async () => {
    await ready("unhooked");
    const took = await deletionMs("unhooked");
    assert.ok(took < 15_000, `${took} ms`);
    assert.match(
      await run("get events --field-selector involvedObject.name=unhooked"),
      /Warning +FailedPreStopHook +pod\/unhooked +PreStopHook failed/,
    );
  });

  it("PR-34 preStop can end nginx gracefully", async () => {
    await ready("quitting");
    const follow = cluster.startKubectl("logs -f quitting");
    await until("it follows", () => follow.output().includes("start worker process"));
    const took = await deletionMs("quitting");
    await until("nginx said so", () => follow.output().includes("gracefully shutting down"));
    await follow.end();
    assert.ok(took < 15_000, `${took} ms`);
  });

  it("PR-41 a shell as PID 1 does not pass TERM on to its child", async () => {
    await ready("deaf");
    const follow = cluster.startKubectl("logs -f deaf");
    const took = await deletionMs("deaf");
    await follow.end();
    assert.ok(took > 2900, `${took} ms`);
    assert.ok(!follow.output().includes("child has TERM"));
  });

  it("PR-35 PR-40 while preStop sleeps the Pod serves on, and no request fails until the rules are gone", async () => {
    await run("rollout status deploy/draining --timeout=30s");
    const [name, ip] = (
      await run(
        "get pods -l app=draining -o jsonpath={.items[0].metadata.name},{.items[0].status.podIP}",
      )
    ).split(",");
    const service = await run("get svc draining -o jsonpath={.spec.clusterIP}");
    const asking = cluster.startKubectl([
      ...["exec", "client", "--", "/bin/sh", "-c"],
      `echo asking; while ! test -e /tmp/enough; do wget -q -O /dev/null http://${service}/ && echo fine; done`,
    ]);
    await until("it asks", () => asking.output().includes("asking"));
    await run(`delete pod ${name} --wait=false`);
    await until("it is no end point", async () => !(await endpoints("draining")).includes(ip!));
    assert.match(await inside("client", `wget -q -O- http://${ip}/`), /Welcome to nginx!/);
    await run(["exec", name!, "--", "touch", "/tmp/seen"]);
    await run(`wait --for=delete pod/${name} --timeout=20s`);
    await inside("client", "touch /tmp/enough");
    await until("it asks no more", () => asking.child.exitCode !== null);
    const { stdout, stderr } = await asking.end();
    assert.ok(stdout.includes("fine"));
    assert.equal(stderr, "");
  });

  it("PO-50 a name in a Deployment's template is allowed and means nothing", async () => {
    const named = nginxDeployment("named") as {
      spec: { template: { metadata: object } };
    };
    named.spec.template.metadata = { ...named.spec.template.metadata, name: "chosen" };
    await cluster.apply([named]);
    await run("rollout status deploy/named --timeout=20s");
    assert.match(
      await run("get pods -l app=named -o name"),
      /^pod\/named-[a-z0-9]+-[a-z0-9]{5}\n$/,
    );
  });
});

const FOLDED = `
apiVersion: v1
kind: Pod
metadata: { name: looping }
spec:
  terminationGracePeriodSeconds: 1
  containers:
    - name: main
      image: busybox:1.29
      command: ["/bin/sh", "-c"]
      args:
        - >
          i=1;
          while [ $i -le 3 ]; do
            echo round $i
            i=$((i+1))
          done;
          sleep 1000
`;
