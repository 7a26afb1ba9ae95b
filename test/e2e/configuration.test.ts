// ConfigMaps and Secrets where they come from and where they are; images from a registry; terminals; ways to the API from outside.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { after, before, describe, it } from "node:test";
import {
  otherKubectls,
  type Running,
  startCluster,
  type TestCluster,
  until,
} from "../support/cluster.ts";
import { nginxDeployment, serviceOf, shellPod, WAITING } from "../support/sample-apps.ts";
import { testImageArchive } from "../../tools/make-test-images.mjs";

const OPEN = 5000;
const CLOSED = 5001;

describe("configuration, images and ways in", { concurrency: 3 }, () => {
  let cluster: TestCluster;
  let nodes: readonly string[];
  const registries: Running[] = [];
  const run = (line: string | readonly string[]): Promise<string> => cluster.kubectl(line);
  const row = (pod: string): Promise<string> => run(`get pod ${pod} --no-headers`);
  const ready = (pod: string): Promise<string> =>
    run(`wait --for=condition=Ready pod/${pod} --timeout=40s`);
  const state = (name: string): string => join(cluster.home, cluster.name, name);
  const pinned = (index: number): object => ({
    nodeSelector: { "kubernetes.io/hostname": nodes[index] },
  });
  const fileOf = (name: string, text: string): string => {
    const path = join(cluster.home, name);
    mkdirSync(join(path, ".."), { recursive: true });
    writeFileSync(path, text);
    return path;
  };
  /** A registry on the first node's own 127.0.0.1. */
  const startRegistry = async (port: number, ...more: readonly string[]): Promise<void> => {
    const script = [process.execPath, resolve("tools/test-registry.mjs")];
    const words = [...script, testImageArchive("busybox"), String(port), ...more];
    const running = cluster.startSkiff(["ssh", nodes[0]!, "--", ...words]);
    registries.push(running);
    await until("the registry listens", () => running.output().includes("listening"));
  };
  /** Runs kubectl on a terminal, with what a user types. */
  const onTerminal = async (line: string, typed: string, version?: string): Promise<string> => {
    const kubectl = version === undefined ? "kubectl" : `kubectl.${version}`;
    const folder = "$(dirname $(readlink -f $(command -v kubectl)))";
    const program = version === undefined ? kubectl : `${folder}/${kubectl}`;
    // A terminal whose other end is closed at once ends what runs on it: this one stays open.
    const script =
      'mkfifo "$3"; exec 3<>"$3"; printf %s "$2" >&3; timeout --foreground 50 script -qec "$1" /dev/null <&3';
    const fifo = join(cluster.home, `terminal-${randomUUID()}`);
    const words = ["-c", script, "sh", `${program} ${line}`, typed, fifo];
    const typing = cluster.startProgram("sh", words);
    return (await typing.ended).stdout.replaceAll("\r", "");
  };
  const image = (name: string, spec: object = {}, container: object = {}): object =>
    shellPod(name, WAITING, { spec: { ...pinned(0), ...spec }, container });

  before(async () => {
    cluster = await startCluster(["busybox", "nginx"], "--nodes", "2");
    nodes = [1, 2].map((index) => `${cluster.name}-${index}`);
    await startRegistry(OPEN, "", "1500");
    await startRegistry(CLOSED, "puller:s3cret");
    await run("create secret generic used --from-literal=word=a-very-secret-word");
    await run("create configmap plain --from-literal=word=a-very-public-word");
    await cluster.apply([
      shellPod("user", WAITING, {
        spec: { ...pinned(0), volumes: [{ name: "used", secret: { secretName: "used" } }] },
        container: { volumeMounts: [{ name: "used", mountPath: "/used" }] },
      }),
      shellPod("other", WAITING, { spec: pinned(1), labels: { app: "pair", tier: "back" } }),
      shellPod("done", "", {
        spec: { restartPolicy: "Never" },
        container: { command: ["/bin/sh", "-c", "exit 0"] },
      }),
    ]);
    await ready("user");
    await ready("other");
  });
  after(async () => {
    // ends what runs on the nodes, the registries among it
    await cluster?.close();
  });

  it("CS-24 Secrets come from a literal manifest, from files and from words", async () => {
    await cluster.apply(
      "apiVersion: v1\nkind: Secret\nmetadata: { name: written }\ndata: { word: aGVsbG8= }\n",
    );
    const path = fileOf("sources/word", "hello");
    await run(`create secret generic filed --from-file=${path}`);
    await run("create secret generic said --from-literal=word=hello");
    await run(
      `create secret generic listed --from-env-file=${fileOf("sources/env", "word=hello\n")}`,
    );
    for (const name of ["written", "filed", "said", "listed"])
      assert.equal(await run(`get secret ${name} -o jsonpath={.data.word}`), "aGVsbG8=", name);
  });

  it("CS-11 a TLS Secret has certificate and key, and takes nothing else", async () => {
    const [cert, key] = [state("pki/server.crt"), state("pki/server.key")];
    await run(`create secret tls site --cert=${cert} --key=${key}`);
    assert.match(await run("get secret site"), /^site +kubernetes\.io\/tls +2 +\d+s$/m);
    const text = await run("get secret site -o jsonpath={.data.tls\\.crt}");
    assert.equal(Buffer.from(text, "base64").toString(), readFileSync(cert, "utf8"));
    const half = { apiVersion: "v1", kind: "Secret", metadata: { name: "half" } };
    const { code, stderr } = await cluster.tryKubectl("create -f -", {
      stdin: JSON.stringify({ ...half, type: "kubernetes.io/tls", stringData: { "tls.crt": "x" } }),
    });
    assert.equal(code, 1);
    assert.match(stderr, /data\[tls\.key\]: Required value/);
  });

  it("CS-09 a join token is a Secret of its own type in kube-system", async () => {
    const { stdout } = await cluster.skiff("token", "create", "--ttl", "1h");
    const id = stdout.split(".")[0]!;
    const name = `bootstrap-token-${id}`;
    assert.match(
      await run(`get secret -n kube-system ${name}`),
      new RegExp(`^${name} +bootstrap\\.kubernetes\\.io/token +6 +\\d+s$`, "m"),
    );
    const text = await run(`describe secret -n kube-system ${name}`);
    for (const key of [
      "auth-extra-groups",
      "expiration",
      "token-id",
      "token-secret",
      "usage-bootstrap-authentication",
      "usage-bootstrap-signing",
    ])
      assert.match(text, new RegExp(`^${key}: +\\d+ bytes$`, "m"), key);
  });

  it("CS-20 Secrets are encrypted in the store, other objects are not", () => {
    const files = readdirSync(state("store"), { recursive: true, withFileTypes: true });
    const bytes = Buffer.concat(
      files
        .filter((entry) => entry.isFile())
        .map((entry) => readFileSync(join(entry.parentPath ?? entry.path, entry.name))),
    );
    assert.ok(bytes.includes("a-very-public-word"));
    assert.ok(!bytes.includes("a-very-secret-word"));
    assert.ok(!bytes.includes(Buffer.from("a-very-secret-word").toString("base64")));
  });

  it("CS-06 a ConfigMap is open to everyone who may view, a Secret is not", async () => {
    await run("create serviceaccount viewer");
    await run("create rolebinding viewer --clusterrole=view --serviceaccount=default:viewer");
    const viewer = "--as=system:serviceaccount:default:viewer";
    assert.match(await run(`describe configmap plain ${viewer}`), /^a-very-public-word$/m);
    for (const line of ["get secret used -o yaml", "get secrets", "describe secret used"]) {
      const { code, stdout, stderr } = await cluster.tryKubectl(`${line} ${viewer}`);
      assert.equal(code, 1, stdout);
      assert.match(stderr, /Forbidden.* cannot (get|list) resource "secrets"/, line);
    }
  });

  it("CS-21 only the node whose Pod uses a Secret may read it", async () => {
    const as = (index: number): string =>
      `--kubeconfig=${state(`nodes/${nodes[index]}/agent.kubeconfig`)}`;
    assert.match(await run(`get secret used ${as(0)}`), /^used +Opaque +1 /m);
    const { code, stderr } = await cluster.tryKubectl(`get secret used ${as(1)}`);
    assert.equal(code, 1);
    assert.match(stderr, /Forbidden.*no relationship found between node/);
    const { stdout } = await cluster.skiff(
      ...["ssh", nodes[1]!, "--", "grep", "-r", "a-very-secret-word", "/var/lib/kubelet/pods"],
    );
    assert.equal(stdout, "");
  });

  it("CS-23 after a change of its ConfigMap nginx takes it when its PID 1 is sent HUP", async () => {
    const conf = (word: string): string =>
      "events {} http { server { listen 80; location / { return 200 " + `"${word}\\n"; } } }`;
    const map = (word: string): object => ({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "conf" },
      data: { "nginx.conf": conf(word) },
    });
    await cluster.apply([
      map("one"),
      shellPod("reloaded", "", {
        spec: {
          containers: [
            {
              name: "main",
              image: "nginx:1.14",
              command: ["nginx", "-c", "/conf/nginx.conf", "-g", "daemon off;"],
              volumeMounts: [{ name: "conf", mountPath: "/conf" }],
            },
          ],
          volumes: [{ name: "conf", configMap: { name: "conf" } }],
        },
      }),
    ]);
    await ready("reloaded");
    const ask = (): Promise<string> => run("exec reloaded -- wget -qO- http://127.0.0.1/");
    await until("it serves", async () => (await ask()) === "one\n");
    await cluster.apply([map("two")]);
    await until("the file follows", async () =>
      (await run("exec reloaded -- cat /conf/nginx.conf")).includes("two"),
    );
    assert.equal(await ask(), "one\n");
    await run("exec reloaded -- kill -1 1");
    await until("it took the change", async () => (await ask()) === "two\n");
    assert.match(await row("reloaded"), /^reloaded +1\/1 +Running +0 /);
  });

  it("KC-64 PO-34 an image is pulled: ContainerCreating until it is there, then events with the time taken", async () => {
    await cluster.apply([image("pulled", {}, { image: `localhost:${OPEN}/tool:1.29` })]);
    await until("it is created", async () =>
      /^pulled +0\/1 +ContainerCreating /.test(await row("pulled")),
    );
    await ready("pulled");
    // Events of a start that goes well come a moment after its status.
    const text = await until("its events", async () => {
      const described = await run("describe pod pulled");
      return described.includes("Started container main") && described;
    });
    const quoted = `"localhost:${OPEN}/tool:1\\.29"`;
    assert.match(
      text,
      new RegExp(
        `Successfully assigned default/pulled to ${nodes[0]}\\n.*Pulling +.* Pulling image ${quoted}\\n` +
          `.*Pulled +.* Successfully pulled image ${quoted} in [\\d.]+m?s .*\\n` +
          ".* Created container main\\n.* Started container main\\n",
      ),
    );
    const took = / in ([\d.]+)s /.exec(text);
    assert.ok(Number(took?.[1]) >= 1.5, took?.[0]);
  });

  it("PO-33 PO-32 AR-31 without a tag it is latest, which is looked for in the registry each time; others are not", async () => {
    const asked = (tag: string): number =>
      registries[0]!.output().split(`tool:${tag}\n`).length - 1;
    const start = async (name: string, tag: string): Promise<void> => {
      await cluster.apply([image(name, {}, { image: `localhost:${OPEN}/tool${tag}` })]);
      await ready(name);
    };
    await start("untagged", "");
    assert.equal(
      await run("get pod untagged -o jsonpath={.spec.containers[0].imagePullPolicy}"),
      "Always",
    );
    const once = asked("latest");
    assert.ok(once > 0);
    await start("again", "");
    assert.ok(asked("latest") > once, "asked again");
    await start("tagged", ":1.29");
    const tagged = asked("1.29");
    await start("present", ":1.29");
    assert.equal(asked("1.29"), tagged, "it is there already");
  });

  it("CS-12 PO-36 a registry with a login is pulled from with the Secret that imagePullSecrets names", async () => {
    await run([
      ...["create", "secret", "docker-registry", "regcred"],
      ...[`--docker-server=localhost:${CLOSED}`, "--docker-username=puller"],
      "--docker-password=s3cret",
    ]);
    assert.match(
      await run("get secret regcred"),
      /^regcred +kubernetes\.io\/dockerconfigjson +1 /m,
    );
    const from = { image: `localhost:${CLOSED}/tool:1.29` };
    await cluster.apply([
      image("without", {}, from),
      image("with", { imagePullSecrets: [{ name: "regcred" }] }, from),
    ]);
    await ready("with");
    await until("the other one is refused", async () =>
      / (ErrImagePull|ImagePullBackOff) /.test(await row("without")),
    );
    assert.match(await run("describe pod without"), /401 Unauthorized|authorization failed/i);
  });

  it("KC-74 exec -it is a terminal inside the container", async () => {
    const said = await onTerminal("exec -it user -- sh", "tty\nexit 3\n");
    assert.match(said, /^\/dev\/pts\/\d+$/m);
    assert.match(said, /command terminated with exit code 3/);
  });

  it("KC-75 the old form of exec, without dashes, is the same", async () => {
    // Without an older one beside it, the plain kubectl is that of the distribution, which is old.
    const older = otherKubectls().find((version) => Number(version.split(".")[1]) < 30);
    const said = await onTerminal("exec -it user hostname", "", older);
    assert.match(said, /^user$/m);
  });

  it("KC-78 run -i -t starts an interactive Pod", async () => {
    const said = await onTerminal(
      "run chat -i -t --rm --restart=Never --image=busybox:1.29 -- sh",
      "\nhostname\nexit\n",
    );
    assert.match(said, /If you don't see a command prompt, try pressing enter\./);
    assert.match(said, /^chat$/m);
    assert.match(said, /pod "chat" deleted/);
  });

  it("API-06 an object made by commands is kept on by its manifest", async () => {
    await run("create deployment both --image=nginx:1.14");
    await run("scale deployment both --replicas=2");
    const path = fileOf("both.json", JSON.stringify(nginxDeployment("both", { replicas: 0 })));
    assert.equal(await run(`apply -f ${path}`), "deployment.apps/both configured\n");
    await until("none is left", async () => /^both +0\/0 /m.test(await run("get deploy both")));
    assert.equal(await run(`apply -f ${path}`), "deployment.apps/both unchanged\n");
    await run("delete deployment both");
  });

  it("API-22 API-23 a Service is reached through the API by the name of its port, and with scheme and no port", async () => {
    await cluster.apply([
      shellPod("page", `mkdir /www; echo page >/www/index.html; httpd -p 80 -h /www; ${WAITING}`),
      serviceOf("page", { ports: [{ name: "http", port: 8080, targetPort: 80 }] }),
      serviceOf("page", {}, "bare"),
    ]);
    await ready("page");
    for (const name of ["page:http", "http:page:http", "page:8080", "http:bare:", "bare"])
      await until(`${name} answers`, async () => {
        const path = `/api/v1/namespaces/default/services/${name}/proxy/`;
        return (await cluster.tryKubectl(`get --raw ${path}`)).stdout === "page\n";
      });
    const { code } = await cluster.tryKubectl(
      "get --raw /api/v1/namespaces/default/services/page:nothing/proxy/",
    );
    assert.equal(code, 1);
  });

  it("API-32 SV-01 every pair of a selector must match", async () => {
    await cluster.apply([
      shellPod("front", WAITING, { labels: { app: "pair", tier: "front" } }),
      serviceOf("x", { selector: { app: "pair", tier: "back" } }, "backs"),
      serviceOf("x", { selector: { app: "pair" } }, "pairs"),
    ]);
    await ready("front");
    const ips = (name: string): Promise<string> =>
      run(`get endpoints ${name} -o jsonpath={.subsets[*].addresses[*].ip}`);
    await until("both", async () => (await ips("pairs")).split(" ").length === 2);
    assert.equal(await ips("backs"), await run("get pod other -o jsonpath={.status.podIP}"));
    assert.match(await run("get pods -l app=pair,tier=back -o name"), /^pod\/other\n$/);
  });

  it("API-42 KC-95 a script outside comes in by address, CA and a service account's token", async () => {
    await run("create serviceaccount robot");
    await run("create rolebinding robot --clusterrole=view --serviceaccount=default:robot");
    const token = (await run("create token robot")).trim();
    const url = await run("config view --minify -o jsonpath={.clusters[0].cluster.server}");
    const own = `--kubeconfig=${join(cluster.home, "robot.kubeconfig")}`;
    const ca = fileOf(
      "ca.crt",
      await run("get configmap kube-root-ca.crt -o jsonpath={.data.ca\\.crt}"),
    );
    await run(`config set-cluster far --server=${url} --certificate-authority=${ca} ${own}`);
    await run(`config set-credentials robot --token=${token} ${own}`);
    await run(`config set-context far --cluster=far --user=robot ${own}`);
    await run(`config use-context far ${own}`);
    assert.match(await run(`get pods ${own}`), /^user +1\/1 +Running /m);
    const refused = await cluster.tryKubectl(`delete pod user ${own}`);
    assert.equal(refused.code, 1);
    assert.match(
      refused.stderr,
      /User "system:serviceaccount:default:robot" cannot delete resource/,
    );
    await run(`config set-credentials robot --token=${token}x ${own}`);
    assert.match((await cluster.tryKubectl(`get pods ${own}`)).stderr, /Unauthorized|logged in/);
  });

  it("KC-33 Pending, Running, OOMKilled, Completed and Terminating are told as STATUS", async () => {
    await cluster.apply([
      shellPod("unplaced", WAITING, { spec: { nodeSelector: { no: "such" } } }),
      shellPod("hungry", "x=a; while :; do x=$x$x; done", {
        container: { resources: { limits: { memory: "16Mi" } } },
        spec: { restartPolicy: "Never" },
      }),
      shellPod("leaving", "trap 'sleep 3; exit' TERM; while :; do sleep 1 & wait; done", {
        spec: {
          terminationGracePeriodSeconds: 8,
          containers: [
            {
              name: "main",
              image: "busybox:1.29",
              command: [
                "/bin/sh",
                "-c",
                "trap 'sleep 3; exit' TERM; while :; do sleep 1 & wait; done",
              ],
            },
          ],
        },
      }),
    ]);
    assert.match(await row("unplaced"), /^unplaced +0\/1 +Pending /);
    assert.match(await row("user"), /^user +1\/1 +Running /);
    await until("out of memory", async () => /^hungry +0\/1 +OOMKilled /.test(await row("hungry")));
    await until("completed", async () => /^done +0\/1 +Completed /.test(await row("done")));
    await ready("leaving");
    await run("delete pod leaving --wait=false");
    assert.match(await row("leaving"), /^leaving +1\/1 +Terminating /);
  });
});
