// How versions of an application reach those who use it, by blue-green, rolling update and scripts; and where its logs go.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { startCluster, type TestCluster, until } from "../support/cluster.ts";
import { nginxDeployment, serviceOf, shellPod, WAITING } from "../support/sample-apps.ts";

const FIRST = "Pets Demo Application";
const SECOND = "Pets Demo Application v2";
/** Requests that show whom a Service asks: of two Pods one is left out of so many once in a million times. */
const REQUESTS = 20;

/** Is there before it answers, as most applications are. */
const SERVING =
  'trap exit TERM; mkdir /www; echo "$PAGE" >/www/index.html; sleep 1; httpd -f -h /www & wait';

/** An application that answers with a page. */
function paged(name: string, page: string, options: object = {}, labels?: object): object {
  const made = nginxDeployment(name, {
    image: "busybox:1.29",
    container: {
      command: ["/bin/sh", "-c", SERVING],
      env: [{ name: "PAGE", value: page }],
    },
    ...options,
  }) as { readonly spec: { readonly template: object } };
  if (!labels) return made;
  const template = { ...made.spec.template, metadata: { labels } };
  return { ...made, spec: { ...made.spec, selector: { matchLabels: labels }, template } };
}
const colored = (color: string, page: string): object =>
  paged(`web-${color}`, page, {}, { app: "web", color });

describe("delivering an application", { concurrency: 3 }, () => {
  let cluster: TestCluster;
  let address: string;
  const run = (line: string | readonly string[]): Promise<string> => cluster.kubectl(line);
  const rolledOut = (name: string): Promise<string> =>
    run(`rollout status deploy/${name} --timeout=40s`);
  const ready = (pod: string): Promise<string> =>
    run(`wait --for=condition=Ready pod/${pod} --timeout=40s`);
  const nodePort = (name: string): Promise<string> =>
    run(`get svc ${name} -o jsonpath={.spec.ports[0].nodePort}`);
  /** The different pages that many requests get. A request that fails is a page as well. */
  const pagesOf = async (service: string): Promise<string> => {
    const port = await nodePort(service);
    const pages = new Set<string>();
    for (let request = 0; request < REQUESTS; request += 1) {
      const answer = fetch(`http://${address}:${port}/`, { headers: { connection: "close" } });
      pages.add(await answer.then((page) => page.text()).catch((error: Error) => String(error)));
    }
    return [...pages].map((page) => page.trim()).join();
  };
  /** Saves what `kubectl edit` shows with another color. */
  const recolor = async (from: string, to: string): Promise<void> => {
    const EDITOR = `sed -i s/color:.${from}/color:\\ ${to}/`;
    const script = join(cluster.home, `${to}.sh`);
    writeFileSync(script, `#!/bin/sh\n${EDITOR} "$1"\n`);
    const edited = await cluster.kubectl("edit svc/web", { env: { EDITOR: `sh ${script}` } });
    assert.equal(edited, "service/web edited\n");
  };

  before(async () => {
    cluster = await startCluster();
    address = await cluster.nodeIp();
    await cluster.apply([
      serviceOf("web", { type: "NodePort", selector: { app: "web", color: "blue" } }),
      colored("blue", FIRST),
      paged("pets", FIRST),
      serviceOf("pets", { type: "NodePort" }),
      shellPod("spoken", `echo said once; ${WAITING}`, {
        container: { name: "teller" },
      }),
      shellPod("myapp", "", {
        spec: {
          containers: [
            {
              name: "app",
              image: "busybox:1.29",
              command: [
                ...["/bin/sh", "-c"],
                "while :; do echo $(date) INFO hello >>/logs/app.log; sleep 1; done",
              ],
              volumeMounts: [{ name: "logs", mountPath: "/logs" }],
            },
            {
              name: "sidecar",
              image: "busybox:1.29",
              command: ["/bin/sh", "-c", "tail -n +1 -F /logs/app.log"],
              volumeMounts: [{ name: "logs", mountPath: "/logs" }],
            },
          ],
          volumes: [{ name: "logs", emptyDir: {} }],
        },
      }),
      shellPod("filing", `echo of a file >>/own/app.log; ${WAITING}`, {
        container: { volumeMounts: [{ name: "own", mountPath: "/own" }] },
        spec: {
          volumes: [
            {
              name: "own",
              hostPath: { path: join(cluster.home, "own"), type: "DirectoryOrCreate" },
            },
          ],
        },
      }),
      shellPod("agent", WAITING, {
        container: { volumeMounts: [{ name: "logs", mountPath: "/var/log", readOnly: true }] },
        spec: { volumes: [{ name: "logs", hostPath: { path: "/var/log" } }] },
      }),
    ]);
  });
  after(() => cluster?.close());

  describe("blue-green", { concurrency: 1 }, () => {
    it("CD-15 CD-24 blue comes first: the Service of its color gives its page", async () => {
      await rolledOut("web-blue");
      await until("it answers", async () => (await pagesOf("web")) === FIRST);
    });

    it("CD-16 CD-17 green is there beside it, and the Service still answers blue", async () => {
      await cluster.apply([colored("green", SECOND)]);
      await rolledOut("web-green");
      assert.match(await run("get deploy"), /^web-blue +1\/1 +1 +1 [^]*^web-green +1\/1 +1 +1 /m);
      assert.equal(await pagesOf("web"), FIRST);
    });

    it("CD-18 CD-19 WS-03 the edited color moves every request to green, and back to blue", async () => {
      const ends = (): Promise<string> =>
        run("get endpoints web -o jsonpath={.subsets[*].addresses[*].targetRef.name}");
      const first = await ends();
      await recolor("blue", "green");
      await until("green alone answers", async () => (await pagesOf("web")) === SECOND);
      assert.notEqual(await ends(), first);
      await recolor("green", "blue");
      await until("blue alone answers", async () => (await pagesOf("web")) === FIRST);
      assert.equal(await ends(), first);
    });

    it("CD-20 blue goes when green has its place", async () => {
      await recolor("blue", "green");
      await until("green alone answers", async () => (await pagesOf("web")) === SECOND);
      await run("delete deploy/web-blue");
      await until(
        "blue is gone",
        async () => (await run("get rs,pods -l color=blue -o name")) === "",
      );
      assert.equal(await pagesOf("web"), SECOND);
    });
  });

  it("WS-02 CD-14 a rolling update brings the second page, its undo the first again, and no request fails", async () => {
    await rolledOut("pets");
    await until("the first answers", async () => (await pagesOf("pets")) === FIRST);
    const seen = new Set<string>();
    let isRolling = true;
    const asking = (async () => {
      while (isRolling) for (const page of (await pagesOf("pets")).split(",")) seen.add(page);
    })();
    await run(["set", "env", "deploy/pets", `PAGE=${SECOND}`]);
    await rolledOut("pets");
    await until("the second answers", async () => (await pagesOf("pets")) === SECOND);
    await run("rollout undo deploy/pets");
    await rolledOut("pets");
    await until("the first answers again", async () => (await pagesOf("pets")) === FIRST);
    isRolling = false;
    await asking;
    assert.deepEqual([...seen].sort(), [FIRST, SECOND]);
  });

  it("CD-10 what a pipeline leaves: three of three, and OK by way of the proxy", async () => {
    await cluster.apply([
      paged("my-app", "OK", { replicas: 3 }),
      serviceOf("my-app", {}, "my-app-svc"),
    ]);
    await rolledOut("my-app");
    assert.match(await run("get deployment my-app"), /^my-app +3\/3 +3 +3 /m);
    const path = "/api/v1/namespaces/default/services/my-app-svc:80/proxy/";
    assert.equal(await run(`get --raw ${path}`), "OK\n");
  });

  it("CD-11 replace ends with 1 when a part of it was refused, and a script stops there", async () => {
    const map = (data: object): object => ({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "release" },
      data,
    });
    const file = join(cluster.home, "release.json");
    await cluster.apply([map({ version: "1" }), serviceOf("release")]);
    const items = [map({ version: "2" }), serviceOf("release", { clusterIP: "10.96.99.99" })];
    writeFileSync(file, JSON.stringify({ apiVersion: "v1", kind: "List", items }));
    const script = `set -e; kubectl replace -f ${file}; echo released`;
    const { code, stdout } = await cluster.startProgram("sh", ["-c", script]).ended;
    assert.equal(code, 1);
    assert.equal(stdout, "configmap/release replaced\n");
    assert.equal(await run("get cm release -o jsonpath={.data.version}"), "2");
  });

  it("LG-02 LG-03 LG-13 in /var/log/containers an agent finds each container's log, by Pod, namespace and container", async () => {
    await ready("spoken");
    await ready("agent");
    const id = (await run("get pod spoken -o jsonpath={.status.containerStatuses[0].containerID}"))
      .split("//")
      .at(-1)!;
    const path = `/var/log/containers/spoken_default_teller-${id}.log`;
    const text = await until("its log", async () => {
      const { stdout } = await cluster.tryKubectl(`exec agent -- cat ${path}`);
      return stdout.includes("\n") && stdout;
    });
    assert.match(text, /^\d{4}-\d\d-\d\dT\S+ stdout F said once\n$/);
  });

  it("LG-06 LG-07 a sidecar prints what the application writes to their volume, a line a second", async () => {
    await ready("myapp");
    const following = cluster.startKubectl("logs -f myapp -c sidecar");
    const line = /^\w{3} \w{3} +\d+ (\d\d:\d\d:\d\d) UTC \d{4} INFO hello$/gm;
    const times = await until("four lines", () => {
      const told = [...following.output().matchAll(line)].map(([, time]) => time!);
      return told.length >= 4 && told;
    }).finally(() => following.end());
    assert.equal(new Set(times).size, times.length, "each of another second");
    assert.equal(await run("logs myapp -c app"), "");
  });

  it("LG-05 a file that an application writes to a hostPath is on its node", async () => {
    await ready("filing");
    const onNode = await cluster.skiff("ssh", "--", "cat", join(cluster.home, "own/app.log"));
    assert.equal(onNode.stdout, "of a file\n");
    assert.equal(await run("logs filing"), "");
  });
});
