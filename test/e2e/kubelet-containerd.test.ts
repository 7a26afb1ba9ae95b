import assert from "node:assert/strict";
import { it } from "node:test";
import { ConfigMap } from "../../src/api/core/config-map.ts";
import { Node } from "../../src/api/core/node.ts";
import { Pod } from "../../src/api/core/pod.ts";
import { describeKubelet } from "../support/kubelet-suite.ts";
import { isTrue, type KubeletWorld } from "../support/kubelet-world.ts";
import { waitFor } from "../support/private-containerd.ts";

const sh = (script: string) => ({ command: ["sh", "-c", script] });
const FOREVER = "trap 'exit 0' TERM; sleep 1000 & wait";

describeKubelet("a kubelet on a containerd of its own", import.meta.url, suite);

function suite(world: KubeletWorld): void {
  it("registers the node and reports it ready", async () => {
    await waitFor(async () => {
      const { status } = await world.client.get(Node, { name: "node-1" });
      return status?.conditions?.find(({ type }) => type === "Ready")?.status === "True";
    });
  });

  it("runs a Pod: volumes, environment, names, logs, events, deletion", async () => {
    await world.client.create(ConfigMap, {
      metadata: { name: "settings", namespace: "default" },
      data: { color: "green" },
    });
    const script = `echo $GREETING from $IP; cat /config/color; cat /shared/init; ${FOREVER}`;
    await world.run(
      "web",
      {
        ...sh(script),
        env: [
          { name: "IP", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } },
          { name: "GREETING", value: "hello $(IP)" },
        ],
        volumeMounts: [
          { name: "config", mountPath: "/config" },
          { name: "shared", mountPath: "/shared" },
        ],
      },
      {
        initContainers: [
          {
            name: "first",
            image: "skiff.test/busybox:1",
            ...sh("echo prepared > /shared/init"),
            volumeMounts: [{ name: "shared", mountPath: "/shared" }],
          },
        ],
        volumes: [
          { name: "config", configMap: { name: "settings" } },
          { name: "shared", emptyDir: { medium: "Memory" } },
        ],
      },
    );
    const { status } = await world.until("web", (pod) => isTrue(pod, "Ready"));
    const ip = status?.podIP ?? "";
    assert.match(ip, /^10\.244\.9\./);
    await waitFor(async () => (await world.log("web")).includes("prepared"));
    assert.equal(await world.log("web"), `hello ${ip} from ${ip}\ngreenprepared\n`);
    assert.equal(await world.log("web", "?tailLines=1&limitBytes=5"), "green");
    assert.match(await world.log("web", "?timestamps=true"), /^\d{4}-\d\d-\d\dT\S+ hello/);
    const events = async (): Promise<readonly string[]> => await world.events("web");
    await waitFor(async () => (await events()).includes("Started Started container app"));
    assert.deepEqual([...new Set(await events())].sort(), [
      "Created Created container app",
      "Created Created container first",
      'Pulled Container image "skiff.test/busybox:1" already present on machine and can be accessed by the pod',
      "Started Started container app",
      "Started Started container first",
    ]);
    await world.client.delete(Pod, { namespace: "default", name: "web" });
    await world.untilGone("web");
    await waitFor(() => world.kubelet.pods.workers.length === 0);
  });

  it("brings a changed ConfigMap into a running container", async () => {
    await world.client.create(ConfigMap, {
      metadata: { name: "live", namespace: "default" },
      data: { value: "old" },
    });
    const script = "while true; do cat /live/value; echo; sleep 0.2; done";
    await world.run(
      "live",
      { ...sh(script), volumeMounts: [{ name: "v", mountPath: "/live" }] },
      {
        terminationGracePeriodSeconds: 1,
        volumes: [{ name: "v", configMap: { name: "live" } }],
      },
    );
    await waitFor(async () => (await world.log("live")).includes("old"));
    const patch = { type: "merge", body: { data: { value: "new" } } } as const;
    await world.client.patch(ConfigMap, { namespace: "default", name: "live" }, patch);
    await waitFor(async () => (await world.log("live")).includes("new"), 5000);
    await world.client.delete(Pod, { namespace: "default", name: "live" });
  });

  it("restarts what fails, and tells why", async () => {
    await world.run("crash", sh("echo last words > /dev/termination-log; exit 3"));
    const { status } = await world.until(
      "crash",
      (pod) => pod.status?.containerStatuses?.[0]?.state?.waiting?.reason === "CrashLoopBackOff",
    );
    const [app] = status?.containerStatuses ?? [];
    assert.equal(app?.lastState?.terminated?.exitCode, 3);
    assert.equal(app?.lastState?.terminated?.message, "last words\n");
    assert.match(
      app?.state?.waiting?.message ?? "",
      /^back-off 10s restarting failed container=app pod=crash_default\(/,
    );
    await world.client.delete(Pod, { namespace: "default", name: "crash" });
    await world.untilGone("crash");
  });

  it("says what is wrong with an image, a reference, a command", async () => {
    const reasonOf = async (name: string): Promise<string | undefined> => {
      const pod = await world.until(name, ({ status }) => {
        const reason = status?.containerStatuses?.[0]?.state?.waiting?.reason;
        return reason !== undefined && reason !== "ContainerCreating";
      });
      return pod.status?.containerStatuses?.[0]?.state?.waiting?.message;
    };
    await world.run("never", { image: "skiff.test/absent:1", imagePullPolicy: "Never" });
    assert.match((await reasonOf("never")) ?? "", /is not present with pull policy of Never$/);
    await world.run("keyless", {
      env: [{ name: "X", valueFrom: { configMapKeyRef: { name: "absent", key: "k" } } }],
    });
    assert.equal(await reasonOf("keyless"), 'configmap "absent" not found');
    for (const name of ["never", "keyless"])
      await world.client.delete(Pod, { namespace: "default", name });
  });

  it("asks probes, and replaces what is not alive", async () => {
    await world.run("probed", {
      ...sh(`touch /ok; ${FOREVER}`),
      readinessProbe: { tcpSocket: { port: 1 }, periodSeconds: 1 },
      livenessProbe: {
        exec: { command: ["cat", "/ok"] },
        periodSeconds: 1,
        failureThreshold: 1,
      },
    });
    await world.until("probed", (pod) => pod.status?.containerStatuses?.[0]?.started === true);
    assert.equal(isTrue(await world.get("probed"), "Ready"), false);
    const path = "/run/default/probed/app?cmd=rm%20/ok";
    await world.ask(path.replace("rm%20/ok", "busybox%20rm%20/ok"), "POST");
    await world.until("probed", (pod) => pod.status?.containerStatuses?.[0]?.restartCount === 1);
    const events = await world.events("probed");
    assert.ok(events.includes("Killing Container app failed liveness probe, will be restarted"));
    assert.ok(
      events.some((event) => event.startsWith("Unhealthy Readiness probe failed: dial tcp")),
    );
    await world.client.delete(Pod, { namespace: "default", name: "probed" }, { graceSeconds: 0 });
  });

  it("opens exec streams for the API server, and for nobody else", async () => {
    await world.run("shell", sh(FOREVER));
    await world.until("shell", (pod) => isTrue(pod, "Ready"));
    const answer = await world.upgrade("/exec/default/shell/app?command=id&output=1");
    assert.match(answer, /^HTTP\/1\.1 101 /);
    assert.equal((await world.ask("/pods", "GET", false)).code, 403);
    assert.equal((await world.ask("/healthz")).body, "ok");
    assert.match((await world.ask("/metrics/resource")).body, /pod="shell"/);
  });

  it("adopts running containers after a restart, and ends those nobody wants", async () => {
    const before = await world.get("shell");
    await world.restartKubelet();
    await waitFor(
      () => world.kubelet.pods.find("default", "shell")?.runtime.containers.length === 1,
    );
    const after = await world.get("shell");
    assert.equal(
      after.status?.containerStatuses?.[0]?.containerID,
      before.status?.containerStatuses?.[0]?.containerID,
    );
    assert.equal(after.status?.containerStatuses?.[0]?.restartCount, 0);
    await world.client.delete(Pod, { namespace: "default", name: "shell" }, { graceSeconds: 0 });
    await waitFor(() => !world.kubelet.pods.find("default", "shell"));
  });

  it("follows a log until the container ends", async () => {
    await world.run("talk", sh("for i in 1 2 3; do echo $i; sleep 0.2; done"), {
      restartPolicy: "Never",
    });
    await world.until("talk", (pod) => pod.status?.phase !== "Pending");
    assert.equal(await world.log("talk", "?follow=true"), "1\n2\n3\n");
    await world.until("talk", (pod) => pod.status?.phase === "Succeeded");
    await world.client.delete(Pod, { namespace: "default", name: "talk" });
    await world.untilGone("talk");
  });

  it("names a container that ran out of memory", async () => {
    await world.run(
      "greedy",
      { command: ["busybox", "tail", "/dev/zero"], resources: { limits: { memory: "16Mi" } } },
      { restartPolicy: "Never" },
    );
    const { status } = await world.until("greedy", (pod) => pod.status?.phase === "Failed");
    const { reason, exitCode } = status?.containerStatuses?.[0]?.state?.terminated ?? {};
    assert.deepEqual([reason, exitCode], ["OOMKilled", 137]);
    await world.client.delete(Pod, { namespace: "default", name: "greedy" });
  });

  it("runs hooks, keeps a sidecar to the end, gives volumes to the group", async () => {
    const mount = { volumeMounts: [{ name: "v", mountPath: "/v" }] };
    const hook = (text: string) => ({ exec: { command: ["sh", "-c", `echo ${text} >> /v/log`] } });
    await world.run(
      "hooks",
      {
        ...sh(`id > /v/id; ${FOREVER}`),
        ...mount,
        lifecycle: { postStart: hook("started"), preStop: hook("stopping") },
      },
      {
        securityContext: { runAsUser: 1000, runAsGroup: 1000, fsGroup: 2000 },
        initContainers: [
          {
            name: "side",
            image: "skiff.test/busybox:1",
            restartPolicy: "Always",
            ...sh("trap 'cat /v/log /v/id; exit 0' TERM; sleep 1000 & wait"),
            ...mount,
          },
        ],
        volumes: [{ name: "v", emptyDir: {} }],
      },
    );
    const pod = await world.until("hooks", (given) => isTrue(given, "Ready"));
    const side = pod.status?.initContainerStatuses?.[0];
    assert.deepEqual([side?.ready, side?.started], [true, true]);
    const following = world.ask("/containerLogs/default/hooks/side?follow=true");
    await world.client.delete(Pod, { namespace: "default", name: "hooks" });
    const { body } = await following;
    assert.match(body, /^started\nstopping\nuid=1000 gid=1000 groups=.*2000/);
    await world.untilGone("hooks");
  });

  it("ends Pods that were deleted while it was away, and nobody else's", async () => {
    await world.run("orphan", sh(FOREVER));
    await world.until("orphan", (pod) => isTrue(pod, "Ready"));
    world.kubelet.close();
    await world.client.delete(Pod, { namespace: "default", name: "orphan" }, { graceSeconds: 0 });
    await world.restartKubelet();
    await waitFor(() => world.kubelet.pods.workers.length === 0);
  });

  it("keeps a subPath inside of its volume", async () => {
    const mount = { name: "v", mountPath: "/v" };
    await world.run(
      "escape",
      { ...sh(FOREVER), volumeMounts: [{ ...mount, subPath: "link" }] },
      {
        initContainers: [
          {
            name: "evil",
            image: "skiff.test/busybox:1",
            command: ["busybox", "ln", "-s", "/etc", "/v/link"],
            volumeMounts: [mount],
          },
        ],
        volumes: [{ name: "v", emptyDir: {} }],
      },
    );
    const pod = await world.until(
      "escape",
      ({ status }) =>
        status?.containerStatuses?.[0]?.state?.waiting?.reason === "CreateContainerConfigError",
    );
    assert.match(
      pod.status?.containerStatuses?.[0]?.state?.waiting?.message ?? "",
      /subPath "link" leads out of its volume$/,
    );
    await world.client.delete(Pod, { namespace: "default", name: "escape" });
    await world.untilGone("escape");
  });
}
