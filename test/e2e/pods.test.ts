import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { startCluster, type TestCluster, until } from "../support/cluster.ts";
import { nginxDeployment, serviceOf, shellPod, WAITING } from "../support/sample-apps.ts";

const map = (name: string, data: object): object => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name },
  data,
});
const secret = (name: string, data: object): object => ({
  apiVersion: "v1",
  kind: "Secret",
  metadata: { name },
  stringData: data,
});
const busybox = (name: string, script: string, more: object = {}): object => ({
  name,
  image: "busybox:1.29",
  command: ["/bin/sh", "-c", script],
  ...more,
});
/** Says that it was sent TERM. */
const TELLING = "trap 'echo was sent TERM; exit' TERM; while :; do sleep 1 & wait; done";
/** A hook that lasts until the test has seen what it wants to see. */
const PRE_STOP =
  "echo hook begins >/proc/1/fd/1; until test -e /tmp/seen; do sleep 0.2; done; echo hook ends >/proc/1/fd/1";
/** A probe that looks for a file. */
const fileProbe = (path: string, more: object = {}): object => ({
  exec: { command: ["cat", path] },
  periodSeconds: 1,
  ...more,
});

describe("Pods, their containers, probes and configuration", () => {
  let cluster: TestCluster;
  const run = (line: string | readonly string[]): Promise<string> => cluster.kubectl(line);
  const row = (pod: string): Promise<string> => run(`get pod ${pod} --no-headers`);
  const field = (pod: string, path: string): Promise<string> =>
    run(["get", "pod", pod, "-o", `jsonpath={${path}}`]);
  const phase = (pod: string, wanted: string): Promise<unknown> =>
    until(`${pod} is ${wanted}`, async () => (await field(pod, ".status.phase")) === wanted);
  const inside = (pod: string, script: string, container = "main"): Promise<string> =>
    run(["exec", pod, "-c", container, "--", "/bin/sh", "-c", script]);
  const ready = (pod: string): Promise<string> =>
    run(`wait --for=condition=Ready pod/${pod} --timeout=30s`);

  before(async () => {
    cluster = await startCluster();
    const settings = {
      player_initial_lives: "3",
      "game.properties": "enemy.types=aliens  \nplayer.max=5\n",
    };
    await cluster.apply([
      map("settings", settings),
      secret("credentials", { username: "john.doe", password: "sEcret-pasSw0rD" }),
      shellPod("configured", "", {
        container: {
          command: ["/bin/sh", "-c"],
          args: [`echo "lives $(LIVES) user $(PETS_USERNAME)"\n  ${WAITING}\n`],
          env: [
            { name: "LITERAL", value: "as written" },
            {
              name: "LIVES",
              valueFrom: { configMapKeyRef: { name: "settings", key: "player_initial_lives" } },
            },
            {
              name: "PETS_USERNAME",
              valueFrom: { secretKeyRef: { name: "credentials", key: "username" } },
            },
            {
              name: "PETS_PASSWORD",
              valueFrom: { secretKeyRef: { name: "credentials", key: "password" } },
            },
          ],
          volumeMounts: [
            { name: "settings", mountPath: "/etc/settings" },
            { name: "secrets", mountPath: "/etc/secrets", readOnly: true },
          ],
        },
        spec: {
          terminationGracePeriodSeconds: 1,
          volumes: [
            { name: "settings", configMap: { name: "settings" } },
            { name: "secrets", secret: { secretName: "credentials" } },
          ],
        },
      }),
      shellPod("pair", "", {
        spec: {
          terminationGracePeriodSeconds: 1,
          initContainers: [
            busybox("first", "echo 1 begins >>/work/order; sleep 1; echo 1 ends >>/work/order", {
              volumeMounts: [{ name: "work", mountPath: "/work" }],
            }),
            busybox("second", "echo 2 begins >>/work/order", {
              volumeMounts: [{ name: "work", mountPath: "/work" }],
            }),
          ],
          containers: [
            {
              name: "web",
              image: "nginx:1.14",
              volumeMounts: [{ name: "work", mountPath: "/usr/share/nginx/html" }],
            },
            busybox("main", WAITING, { volumeMounts: [{ name: "work", mountPath: "/work" }] }),
          ],
          volumes: [{ name: "work", emptyDir: {} }],
        },
      }),
      shellPod("done", "exit 0", {
        spec: { restartPolicy: "Never", containers: [busybox("main", "exit 0")] },
      }),
      shellPod("failed", "", {
        spec: { restartPolicy: "Never", containers: [busybox("main", "exit 3")] },
      }),
      shellPod("crashing", "sleep 1; exit 3"),
      shellPod("absent", "", {
        spec: { containers: [{ name: "main", image: "localhost:1/nowhere:1" }] },
      }),
      shellPod("never", "", {
        spec: { containers: [{ name: "main", image: "nowhere:1", imagePullPolicy: "Never" }] },
      }),
      shellPod("alive", `touch /tmp/healthy; sleep 3; rm /tmp/healthy; ${WAITING}`, {
        container: {
          livenessProbe: fileProbe("/tmp/healthy", { failureThreshold: 2, initialDelaySeconds: 1 }),
        },
      }),
      shellPod("starting", `sleep 4; touch /tmp/up; ${WAITING}`, {
        container: {
          startupProbe: fileProbe("/tmp/up", { failureThreshold: 30 }),
          livenessProbe: fileProbe("/tmp/up", { failureThreshold: 1 }),
          readinessProbe: fileProbe("/tmp/up"),
        },
      }),
      shellPod("unstarted", WAITING, {
        container: { startupProbe: fileProbe("/tmp/up", { failureThreshold: 3 }) },
      }),
      shellPod("switched", WAITING, {
        container: {
          readinessProbe: fileProbe("/tmp/ready", { successThreshold: 2, failureThreshold: 2 }),
        },
      }),
      serviceOf("switched"),
      shellPod("needy", WAITING, {
        container: { envFrom: [{ configMapRef: { name: "made-later" } }] },
      }),
      serviceOf("hooked"),
      shellPod("hooked", "", {
        container: {
          command: ["/bin/sh", "-c", TELLING],
          lifecycle: {
            postStart: { exec: { command: ["/bin/sh", "-c", "echo started >/tmp/hook"] } },
            preStop: {
              exec: { command: ["/bin/sh", "-c", PRE_STOP] },
            },
          },
        },
        spec: { terminationGracePeriodSeconds: 30 },
      }),
    ]);
  });
  after(() => cluster?.close());

  it("CS-04 CS-19 PO-25 variables come literally, from a ConfigMap and from a Secret", async () => {
    await ready("configured");
    const env = await inside("configured", "env");
    for (const line of [
      "LITERAL=as written",
      "LIVES=3",
      "PETS_USERNAME=john.doe",
      "PETS_PASSWORD=sEcret-pasSw0rD",
    ])
      assert.ok(env.split("\n").includes(line), line);
  });

  it("PO-26 PO-27 PO-28 their values are usable in args as $(NAME)", async () => {
    assert.match(await run("logs configured"), /^lives 3 user john\.doe\n/);
  });

  it("CS-01 CS-03 CS-05 a ConfigMap as a volume has a file per key with its exact content", async () => {
    assert.equal(await inside("configured", "cat /etc/settings/player_initial_lives"), "3");
    assert.equal(
      await inside("configured", "cat /etc/settings/game.properties"),
      "enemy.types=aliens  \nplayer.max=5\n",
    );
  });

  it("CS-08 CS-18 PO-30 a Secret as a volume has plain values, read-only", async () => {
    assert.equal(await inside("configured", "cat /etc/secrets/username"), "john.doe");
    assert.equal(await inside("configured", "cat /etc/secrets/password"), "sEcret-pasSw0rD");
    for (const path of ["/etc/secrets/username", "/etc/settings/game.properties"]) {
      const line = ["exec", "configured", "--", "/bin/sh", "-c", `echo x >${path}`];
      assert.match((await cluster.tryKubectl(line)).stderr, /Read-only file system/, path);
    }
    assert.equal(await inside("configured", "cat /etc/secrets/username"), "john.doe");
  });

  it("CS-22 a change of either reaches the files, and not the variables", async () => {
    await cluster.apply([
      map("settings", { player_initial_lives: "9" }),
      secret("credentials", { username: "jane" }),
    ]);
    await until(
      "the files follow",
      async () =>
        (await inside(
          "configured",
          "cat /etc/settings/player_initial_lives /etc/secrets/username",
        )) === "9jane",
    );
    assert.match(await inside("configured", "env"), /^LIVES=3$/m);
  });

  it("PO-02 PO-04 PO-51 two containers of a Pod share address and localhost", async () => {
    await ready("pair");
    assert.match(await row("pair"), /^pair +2\/2 +Running/);
    assert.match(
      await inside("pair", "wget -qO- http://127.0.0.1/order"),
      /^1 begins\n1 ends\n2 begins\n$/,
    );
    assert.equal(
      await inside("pair", "hostname -i", "main"),
      await inside("pair", "hostname -i", "web"),
    );
  });

  it("PO-40 PO-42 PO-45 init containers run one after the other, and share an emptyDir with the others", async () => {
    assert.equal(await inside("pair", "cat /work/order"), "1 begins\n1 ends\n2 begins\n");
    assert.equal(
      await field("pair", ".status.initContainerStatuses[*].state.terminated.reason"),
      "Completed Completed",
    );
  });

  it("PO-06 PO-37 their file systems are separate but for the volume", async () => {
    await inside("pair", "echo mine >/tmp/private; echo shared >/work/shared");
    assert.equal(await inside("pair", "cat /usr/share/nginx/html/shared", "web"), "shared\n");
    assert.equal(await inside("pair", "test -e /tmp/private; echo $?", "web"), "1\n");
  });

  it("PO-49 PO-22 PO-16 a Pod's host name is its name; command replaces the entry point", async () => {
    assert.equal(await inside("configured", "hostname"), "configured\n");
    assert.equal(
      await inside("configured", "tr '\\0' ' ' </proc/1/cmdline | head -c 10"),
      "/bin/sh -c",
    );
    assert.equal(await field("configured", ".status.phase"), "Running");
  });

  it("PO-17 PO-18 PO-38 with restartPolicy Never a Pod ends as Succeeded or Failed by its exit code", async () => {
    await phase("done", "Succeeded");
    await phase("failed", "Failed");
    assert.match(await row("done"), /^done +0\/1 +Completed +0 /);
    assert.match(await row("failed"), /^failed +0\/1 +Error +0 /);
    assert.equal(
      await field("failed", ".status.containerStatuses[0].state.terminated.exitCode"),
      "3",
    );
  });

  it("PO-39 KC-31 KC-33 a crashing container is restarted in its Pod: CrashLoopBackOff, RESTARTS with its time", async () => {
    await until("it waits to be restarted", async () =>
      /^crashing +0\/1 +CrashLoopBackOff +\d+ \(\d+s ago\) /.test(await row("crashing")),
    );
  });

  it("PO-35 PO-31 an image out of reach gives ImagePullBackOff, and Never pulls nothing", async () => {
    await until("the pull backs off", async () =>
      / ImagePullBackOff +0 /.test(await row("absent")),
    );
    await until("never pulled", async () => / ErrImageNeverPull +0 /.test(await row("never")));
    assert.match(
      await run("describe pod absent"),
      /Warning +Failed .* Failed to pull image "localhost:1\/nowhere:1"/,
    );
  });

  it("PR-01 PR-08 QK-04 a failed liveness probe restarts the container inside the same Pod", async () => {
    const uid = await field("alive", ".metadata.uid");
    await until("it was restarted", async () =>
      /^alive +\d\/1 +Running +[1-9]/.test(await row("alive")),
    );
    assert.equal(await field("alive", ".metadata.uid"), uid);
  });

  it("PR-18 describe has the events of the failed probe and of the kill", async () => {
    const text = await run("describe pod alive");
    assert.match(
      text,
      /Warning +Unhealthy .* Liveness probe failed: cat: can't open '\/tmp\/healthy'/,
    );
    assert.match(
      text,
      /Normal +Killing .* Container main failed liveness probe, will be restarted/,
    );
  });

  it("PR-03 PR-04 PR-29 no other probe runs until the startup probe has succeeded", async () => {
    await ready("starting");
    assert.equal(await field("starting", ".status.containerStatuses[0].restartCount"), "0");
    assert.equal(await field("starting", ".status.containerStatuses[0].started"), "true");
    // what has not started within threshold times period is started anew
    await until("the limit was reached", async () =>
      /Killing .* Container main failed startup probe, will be restarted/.test(
        await run("describe pod unstarted"),
      ),
    );
    await until("it was restarted", async () =>
      /^unstarted +0\/1 +\S+ +[1-9]/.test(await row("unstarted")),
    );
  });

  it("PR-02 SV-31 a Pod is among the end points while its readiness probe succeeds", async () => {
    const endpoints = (): Promise<string> =>
      run("get endpoints switched -o jsonpath={.subsets[*].addresses[*].ip}");
    await until("it runs", async () => /^switched +0\/1 +Running/.test(await row("switched")));
    assert.equal(await endpoints(), "");
    await inside("switched", "touch /tmp/ready");
    await ready("switched");
    const ip = await field("switched", ".status.podIP");
    await until("it is an end point", async () => (await endpoints()) === ip);
    await inside("switched", "rm /tmp/ready");
    await until("it is none", async () => (await endpoints()) === "");
    await until("it is not ready", async () =>
      /^switched +0\/1 +Running +0 /.test(await row("switched")),
    );
  });

  it("PR-22 PR-27 without a liveness probe an unready container is not restarted", async () => {
    assert.equal(await field("switched", ".status.containerStatuses[0].restartCount"), "0");
    assert.match(
      await run("describe pod switched"),
      /Warning +Unhealthy .* Readiness probe failed/,
    );
    assert.match(await run("describe svc switched"), /^Endpoints: *$/m);
  });

  it("PR-14 PR-15 a verdict changes when as many answers in a row agree as the thresholds say", async () => {
    // The n-th answer is good where the n-th character is a dot; the last character counts for all that follow.
    const answering = (name: string, answers: string): object => {
      const script =
        `echo x >>/tmp/asked; n=$(wc -l </tmp/asked); a=${answers}; test $n -le \${#a} || n=\${#a}; ` +
        'test "$(echo $a | cut -c $n)" = .';
      return shellPod(name, WAITING, {
        container: {
          readinessProbe: {
            exec: { command: ["/bin/sh", "-c", script] },
            periodSeconds: 1,
            timeoutSeconds: 5,
            successThreshold: 2,
            failureThreshold: 2,
          },
        },
      });
    };
    // A watch of one Pod begins with what is there, so it may begin later.
    const told = async (name: string): Promise<string> => {
      const watch = cluster.startKubectl(`get pod ${name} -w --no-headers`);
      await until("enough answers", async () => {
        const asked = await cluster.tryKubectl(`exec ${name} -- cat /tmp/asked`);
        return asked.stdout.split("\n").length > 7;
      });
      await watch.end();
      return [...watch.output().matchAll(/ ([01])\/1 +Running /g)].map(([, one]) => one).join("");
    };
    await cluster.apply([answering("unsteady", ".x.x.x.x.x"), answering("steady", "..x.x.x.x.x.")]);
    const [unsteady, steady] = await Promise.all([told("unsteady"), told("steady")]);
    assert.match(unsteady, /^0+$/, "never two good ones in a row");
    assert.match(steady, /^0*1+$/, "never two bad ones in a row");
  });

  it("PO-54 PO-15 a Pod waits for the ConfigMap that it names", async () => {
    await until("it waits", async () => /CreateContainerConfigError/.test(await row("needy")));
    assert.equal(await field("needy", ".status.phase"), "Pending");
    await run("create configmap made-later --from-literal=A=b");
    await ready("needy");
    assert.match(await inside("needy", "env"), /^A=b$/m);
  });

  it("PR-31 PR-37 postStart has run when the Pod is ready", async () => {
    await ready("hooked");
    assert.equal(await inside("hooked", "cat /tmp/hook"), "started\n");
    // a hook may ask by HTTP, too
    const host = await field("pair", ".status.podIP");
    const postStart = { httpGet: { host, port: 80, path: "/order?hook" } };
    await cluster.apply([
      shellPod("calling", WAITING, { container: { lifecycle: { postStart } } }),
    ]);
    await ready("calling");
    assert.match(await run("logs pair -c web"), /GET \/order\?hook/);
  });

  it("PR-32 PR-38 PR-43 preStop runs before TERM; the Pod shows Terminating until all is gone", async () => {
    const endpoints = (): Promise<string> =>
      run("get endpoints hooked -o jsonpath={.subsets[*].addresses[*].ip}");
    await until("it is an end point", endpoints);
    const follow = cluster.startKubectl("logs -f hooked");
    await run("delete pod hooked --wait=false");
    await until("the hook runs", () => follow.output().includes("hook begins"));
    assert.match(await row("hooked"), / Terminating /);
    await until("it is no end point", async () => (await endpoints()) === "");
    await inside("hooked", "touch /tmp/seen");
    await run("wait --for=delete pod/hooked --timeout=20s");
    await until("all is told", () => follow.output().includes("TERM"));
    await follow.end();
    assert.equal(follow.output(), "hook begins\nhook ends\nwas sent TERM\n");
  });

  it("PR-39 PO-46 a process that ignores TERM is killed when the grace period is over", async () => {
    await cluster.apply([
      shellPod("stubborn", "trap '' TERM; while :; do sleep 1; done", {
        spec: {
          terminationGracePeriodSeconds: 2,
          containers: [busybox("main", "trap '' TERM; while :; do sleep 1; done")],
        },
      }),
    ]);
    await ready("stubborn");
    const begun = performance.now();
    await run("delete pod stubborn");
    const tookMs = performance.now() - begun;
    assert.ok(tookMs > 1900 && tookMs < 25_000, `${tookMs} ms`);
  });

  it("PR-30 a process that handles TERM ends long before its grace period", async () => {
    const spec = { terminationGracePeriodSeconds: 30, containers: [busybox("main", WAITING)] };
    await cluster.apply([shellPod("polite", WAITING, { spec })]);
    await ready("polite");
    const begun = performance.now();
    await run("delete pod polite");
    assert.ok(performance.now() - begun < 20_000);
  });

  it("PR-09 PR-10 PR-28 httpGet and tcpSocket probes; without any a Pod is ready when it runs", async () => {
    const server = (name: string, readinessProbe?: object): object =>
      shellPod(name, "", {
        spec: {
          containers: [
            { name: "main", image: "nginx:1.14", ...(readinessProbe && { readinessProbe }) },
          ],
        },
      });
    await cluster.apply([
      server("by-http", { httpGet: { path: "/", port: 80 }, periodSeconds: 1 }),
      server("by-tcp", { tcpSocket: { port: 80 }, periodSeconds: 1 }),
      server("wrong-path", { httpGet: { path: "/nothing", port: 80 }, periodSeconds: 1 }),
      server("wrong-port", { tcpSocket: { port: 81 }, periodSeconds: 1 }),
      server("unprobed"),
    ]);
    for (const name of ["by-http", "by-tcp", "unprobed"]) await ready(name);
    await until("the 404 is told", async () =>
      /HTTP probe failed with statuscode: 404/.test(await run("describe pod wrong-path")),
    );
    assert.match(await row("wrong-path"), / 0\/1 +Running/);
    await until("the closed port is told", async () =>
      /Readiness probe failed: dial tcp .*:81: connect: connection refused/.test(
        await run("describe pod wrong-port"),
      ),
    );
    assert.match(await row("wrong-port"), / 0\/1 +Running/);
  });

  it("PR-24 DE-30 a broken version gets no traffic: the old Pods stay until new ones are ready", async () => {
    await cluster.apply([nginxDeployment("careful", { replicas: 2 })]);
    await run("rollout status deploy/careful");
    await run("set image deploy/careful nginx=nowhere:1");
    await until("a broken Pod is there", async () =>
      /ErrImage|ImagePull/.test(await run("get pods -l app=careful")),
    );
    assert.match(await run("get deploy careful"), /^careful +2\/2 +1 +2 /m);
  });
});
