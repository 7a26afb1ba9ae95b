import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { stringify } from "yaml";
import { startCluster, type TestCluster, until } from "../support/cluster.ts";
import { nginxDeployment, serviceOf, shellPod, WAITING } from "../support/sample-apps.ts";

/** The lines of `kubectl delete`: since 1.34 they name the namespace. */
const deleted = (...objects: readonly string[]): RegExp =>
  new RegExp(`^${objects.map((one) => `${one} deleted( from default namespace)?\n`).join("")}$`);
const configMap = (name: string, data: object): string =>
  JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data });

interface Annotated {
  readonly metadata: { readonly annotations: Readonly<Record<string, string>> };
}

describe("kubectl changes a cluster", () => {
  let cluster: TestCluster;
  const run = (line: string | readonly string[], stdin = ""): Promise<string> =>
    cluster.kubectl(line, { stdin });
  const refused = async (line: string | readonly string[], stdin = ""): Promise<string> => {
    const { code, stderr } = await cluster.tryKubectl(line, { stdin });
    assert.equal(code, 1, stderr);
    return stderr;
  };
  const file = (name: string, ...manifests: readonly (object | string)[]): string => {
    const path = join(cluster.home, name);
    mkdirSync(join(path, ".."), { recursive: true });
    const texts = manifests.map((part) => (typeof part === "string" ? part : stringify(part)));
    writeFileSync(path, texts.join("\n---\n\n"));
    return path;
  };

  /** Runs `ask` with the URL of a `kubectl proxy`. */
  const throughProxy = async (ask: (url: string) => Promise<void>): Promise<void> => {
    const proxy = cluster.startKubectl("proxy --port=0");
    try {
      const [, port] = await until("the proxy serves", () =>
        /Starting to serve on 127\.0\.0\.1:(\d+)/.exec(proxy.output()),
      );
      await ask(`http://127.0.0.1:${port}`);
    } finally {
      await proxy.end();
    }
  };
  /** What the API answers to a manifest as it is written; kubectl would make JSON of its own of it. */
  const post = async (manifest: string, type: string): Promise<number> => {
    let status = 0;
    await throughProxy(async (url) => {
      const headers = { "content-type": type };
      const path = `${url}/api/v1/namespaces/default/configmaps`;
      ({ status } = await fetch(path, { method: "POST", headers, body: manifest }));
    });
    return status;
  };

  before(async () => {
    cluster = await startCluster();
    await cluster.apply([shellPod("shell", `echo started; ${WAITING}`), nginxDeployment("my-app")]);
    await run("wait --for=condition=Ready pod/shell --timeout=20s");
    await run("rollout status deploy/my-app");
  });
  after(() => cluster?.close());

  it("KC-01 PO-56 KC-96 create -f makes a Pod once; the second time is refused with status 1", async () => {
    const path = file("pod.json", shellPod("twice", WAITING));
    assert.equal(await run(`create -f ${path}`), "pod/twice created\n");
    assert.match(
      await refused(`create -f ${path}`),
      /Error from server \(AlreadyExists\): .*pods "twice" already exists/,
    );
    assert.match(await run(`delete -f ${path} --now`), deleted('pod "twice"'));
  });

  it("KC-02 API-04 SV-53 a file of several objects gives one line for each", async () => {
    const path = file("two.yaml", nginxDeployment("pair", { replicas: 0 }), serviceOf("pair"));
    assert.equal(
      await run(`create -f ${path}`),
      "deployment.apps/pair created\nservice/pair created\n",
    );
    assert.match(
      await run(`delete -f ${path}`),
      deleted('deployment.apps "pair"', 'service "pair"'),
    );
  });

  it("KC-03 create -f URL fetches the manifest", async () => {
    const server = createServer((_, response) => response.end(configMap("fetched", {})));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    assert.ok(address && typeof address === "object");
    try {
      const url = `http://127.0.0.1:${address.port}/map.json`;
      assert.equal(await run(`create -f ${url}`), "configmap/fetched created\n");
    } finally {
      server.close();
    }
  });

  it("KC-04 API-30 KC-14 create --save-config keeps the manifest, which view-last-applied prints", async () => {
    const path = file("kept.json", configMap("kept", { a: "1" }));
    await run(`create --save-config -f ${path}`);
    assert.match(await run(`apply view-last-applied -f ${path} -o json`), /"a": "1"/);
    file("kept.json", configMap("kept", { a: "2" }));
    assert.match(await run(`apply view-last-applied -f ${path} -o json`), /"a": "1"/);
    const { metadata } = await cluster.read<Annotated>("configmap kept");
    const sent = JSON.parse(configMap("kept", { a: "1" })) as { metadata: object };
    assert.deepEqual(
      JSON.parse(metadata.annotations["kubectl.kubernetes.io/last-applied-configuration"]!),
      { ...sent, metadata: { ...sent.metadata, annotations: {}, namespace: "default" } },
    );
    assert.equal(await run(`apply -f ${path}`), "configmap/kept configured\n");
  });

  it("KC-16 KC-15 set-last-applied and edit-last-applied change the kept manifest alone", async () => {
    const path = file("last.json", configMap("last", { a: "1" }));
    await run(`apply -f ${path}`);
    file("last.json", configMap("last", { a: "9" }));
    assert.equal(await run(`apply set-last-applied -f ${path}`), "configmap/last configured\n");
    assert.match(await run("apply view-last-applied configmap/last"), /a: "9"/);
    assert.equal(await run("get cm last -o jsonpath={.data.a}"), "1");
    const EDITOR = `sed -i s/"9"/"8"/`;
    await cluster.kubectl("apply edit-last-applied configmap/last", { env: { EDITOR } });
    assert.match(await run("apply view-last-applied configmap/last"), /a: "8"/);
  });

  it("KC-05 KC-90 DE-22 --record keeps the command line as the change's cause", async () => {
    const path = file("recorded.json", nginxDeployment("recorded", { replicas: 0 }));
    await run(`create -f ${path} --record`);
    const history = await until("the first revision", async () => {
      const text = await run("rollout history deploy/recorded");
      return /^1 /m.test(text) && text;
    });
    assert.match(history, /^1 +kubectl create --filename=\S+recorded\.json --record=true$/m);
    await run("set image deploy/recorded nginx=nginx:1.25 --record");
    await until("the second revision", async () =>
      /^2 +kubectl set image deploy\/recorded nginx=nginx:1\.25 --record=true$/m.test(
        await run("rollout history deploy/recorded"),
      ),
    );
    await run("delete deploy recorded");
  });

  it("KC-06 create deployment makes one copy, labelled by its name", async () => {
    assert.equal(
      await run("create deployment nginx-deploy --image=nginx:1.14"),
      "deployment.apps/nginx-deploy created\n",
    );
    await run("rollout status deploy/nginx-deploy");
    assert.match(await run("get deploy nginx-deploy"), /^nginx-deploy +1\/1 +1 +1 /m);
    assert.equal((await run("get pods -l app=nginx-deploy -o name")).trim().split("\n").length, 1);
  });

  it("KC-19 DE-08 edit opens the live object and takes effect on save", async () => {
    const set = await run("get rs -l app=nginx-deploy -o jsonpath={.items[*].metadata.name}");
    const script = file("editor.sh", '#!/bin/sh\nsed -i "s/^  replicas: 1$/  replicas: 2/" "$1"\n');
    const edited = await cluster.kubectl("edit deployment nginx-deploy", {
      env: { EDITOR: `sh ${script}` },
    });
    assert.equal(edited, "deployment.apps/nginx-deploy edited\n");
    await until("2/2", async () => / 2\/2 +2 +2 /.test(await run("get deploy nginx-deploy")));
    const owners = await run(
      "get pods -l app=nginx-deploy -o jsonpath={.items[*].metadata.ownerReferences[0].name}",
    );
    assert.deepEqual(owners.split(" "), [set, set]);
    await run("delete deployment nginx-deploy");
  });

  it("KC-07 NS-03 NS-06 create namespace; the same name can be used in each", async () => {
    assert.equal(await run("create namespace mathxh"), "namespace/mathxh created\n");
    await run("create configmap same --from-literal=a=1");
    assert.equal(
      await run("create configmap same --from-literal=a=2 -n mathxh"),
      "configmap/same created\n",
    );
    assert.equal(await run("get cm same -o jsonpath={.data.a}"), "1");
    assert.equal(await run("get cm same -n mathxh -o jsonpath={.data.a}"), "2");
  });

  it("KC-13 NS-04 --namespace and metadata.namespace choose; a missing namespace is refused", async () => {
    const path = file("anywhere.json", configMap("anywhere", {}));
    await run(`apply -f ${path} --namespace=mathxh`);
    assert.equal(await run("get cm anywhere -n mathxh -o name"), "configmap/anywhere\n");
    const lost =
      '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x","namespace":"nowhere"}}';
    assert.match(await refused("apply -f -", lost), /namespaces "nowhere" not found/);
  });

  it("KC-08 CS-16 CS-17 a Secret from files has a key per file and its bytes as value", async () => {
    const user = file("username.txt", "john.doe\n");
    const password = file("password.txt", "sEcret");
    assert.equal(
      await run(`create secret generic pets-secret --from-file=${user} --from-file=${password}`),
      "secret/pets-secret created\n",
    );
    const data = await run("get secret pets-secret -o jsonpath={.data}");
    assert.deepEqual(JSON.parse(data), {
      "username.txt": Buffer.from("john.doe\n").toString("base64"),
      "password.txt": Buffer.from("sEcret").toString("base64"),
    });
  });

  it("KC-09 KC-10 KC-11 apply says created, then unchanged, then configured", async () => {
    const apply = (value: string): Promise<string> => run("apply -f -", configMap("a", { value }));
    assert.equal(await apply("1"), "configmap/a created\n");
    assert.equal(await apply("1"), "configmap/a unchanged\n");
    assert.equal(await apply("2"), "configmap/a configured\n");
    assert.equal(await run("get cm a -o jsonpath={.data.value}"), "2");
  });

  it("KC-12 API-03 apply -f DIR takes every manifest, YAML or JSON", async () => {
    file("folder/a.json", configMap("of-json", {}));
    const path = file(
      "folder/b.yaml",
      "kind: ConfigMap\nmetadata: {name: of-yaml}\napiVersion: v1\n",
    );
    assert.equal(
      await run(`apply -f ${join(path, "..")}`),
      "configmap/of-json created\nconfigmap/of-yaml created\n",
    );
    const yaml = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: posted\n";
    assert.equal(await post(yaml, "application/yaml"), 201);
    assert.equal(await run("get configmap posted -o name"), "configmap/posted\n");
  });

  it("API-05 API-01 API-39 keys in any order; a part left out is refused; applied again, the later wins", async () => {
    await run(
      "apply -f -",
      "data: {k: later}\nmetadata: {name: a}\nkind: ConfigMap\napiVersion: v1\n",
    );
    assert.equal(await run("get cm a -o jsonpath={.data}"), '{"k":"later"}');
    const backwards =
      '{"data":{"k":"v"},"metadata":{"name":"backwards"},"kind":"ConfigMap","apiVersion":"v1"}';
    assert.equal(await post(backwards, "application/json"), 201);
    assert.match(await refused("apply -f -", "apiVersion: v1\nmetadata: {name: a}\n"), /kind/);
    assert.match(await refused("create -f -", "apiVersion: v1\nkind: ConfigMap\n"), /name/);
  });

  it("KC-17 KC-18 API-35 replace changes what exists, refuses an immutable field, and goes on with the rest", async () => {
    await cluster.apply([serviceOf("my-app", {}, "my-app-svc")]);
    const path = file(
      "replace.yaml",
      nginxDeployment("my-app", { replicas: 1, image: "nginx:1.25" }),
      serviceOf("my-app", { clusterIP: "10.96.77.77" }, "my-app-svc"),
    );
    const { code, stdout, stderr } = await cluster.tryKubectl(`replace -f ${path}`);
    assert.equal(code, 1);
    assert.equal(stdout, "deployment.apps/my-app replaced\n");
    assert.match(
      stderr,
      /^The Service "my-app-svc" is invalid: .*spec\.clusterIPs?(\[0\])?: Invalid value: .*(immutable|may not change)/m,
    );
    const missing = file("missing.json", configMap("not-there", {}));
    assert.match(await refused(`replace -f ${missing}`), /configmaps "not-there" not found/);
  });

  it("KC-20 API-18 API-19 patch joins containers and variables by name", async () => {
    const patch = (containers: object[]): Promise<string> =>
      run([
        "patch",
        "deployment",
        "my-app",
        "-p",
        JSON.stringify({ spec: { template: { spec: { containers } } } }),
      ]);
    assert.equal(
      await patch([{ name: "nginx", env: [{ name: "DEMO", value: "1" }] }]),
      "deployment.apps/my-app patched\n",
    );
    await patch([{ name: "nginx", env: [{ name: "OTHER", value: "2" }], image: "nginx:1.14" }]);
    const container = JSON.parse(
      await run("get deploy my-app -o jsonpath={.spec.template.spec.containers[0]}"),
    ) as { image: string; env: object[]; ports: object[] };
    assert.equal(container.image, "nginx:1.14");
    assert.deepEqual(container.env.map((variable) => JSON.stringify(variable)).sort(), [
      '{"name":"DEMO","value":"1"}',
      '{"name":"OTHER","value":"2"}',
    ]);
    assert.deepEqual(container.ports, [{ containerPort: 80, protocol: "TCP" }]);
  });

  it("DE-17 KC-21 DE-16 a patched variable and a set image start rollouts", async () => {
    await run("rollout status deploy/my-app");
    const before = await run("get pods -l app=my-app -o name");
    const sets = await run("get rs -l app=my-app -o name");
    const containers = [{ name: "nginx", env: [{ name: "DEMO", value: "3" }] }];
    const patch = { spec: { template: { spec: { containers } } } };
    await run(["patch", "deployment", "my-app", `--patch=${JSON.stringify(patch)}`]);
    await run("rollout status deploy/my-app");
    const between = await run("get rs -l app=my-app -o name");
    assert.equal(between.split("\n").length, sets.split("\n").length + 1, "by the patch");
    assert.equal(
      await run("set image deployment my-app nginx=nginx:alpine"),
      "deployment.apps/my-app image updated\n",
    );
    await run("rollout status deploy/my-app");
    const after = await run("get rs -l app=my-app -o name");
    assert.equal(after.split("\n").length, between.split("\n").length + 1, "by the image");
    assert.notEqual(await run("get pods -l app=my-app -o name"), before);
  });

  it("API-17 KC-98 the same patch goes by REST through kubectl proxy", async () => {
    await throughProxy(async (url) => {
      const path = `${url}/apis/apps/v1/namespaces/default/deployments/my-app`;
      const answer = await fetch(path, {
        method: "PATCH",
        headers: { "content-type": "application/strategic-merge-patch+json" },
        body: '{"metadata":{"labels":{"by":"rest"}}}',
      });
      assert.equal(answer.status, 200);
      const { metadata } = (await answer.json()) as { metadata: { labels: object } };
      assert.deepEqual(metadata.labels, { by: "rest" });
    });
  });

  it("KC-80 AR-09 API-21 proxy serves the API and Services behind it", async () => {
    await run("rollout status deploy/my-app");
    await throughProxy(async (url) => {
      const base = `${url}/api/v1/namespaces/default`;
      const list = (await (await fetch(`${base}/pods`)).json()) as { kind: string };
      assert.equal(list.kind, "PodList");
      const page = await fetch(`${base}/services/my-app-svc:80/proxy/`);
      assert.match(await page.text(), /Welcome to nginx!/);
    });
  });

  it("API-26 /metrics of the API server is in Prometheus' format", async () => {
    const text = await run("get --raw /metrics");
    assert.match(text, /^# TYPE apiserver_request_total counter$/m);
    assert.match(text, /^apiserver_request_total\{.*verb="GET".*\} \d+$/m);
  });

  it("KC-25 KC-26 KC-27 delete by TYPE/NAME, TYPE NAME, and file", async () => {
    for (const name of ["d1", "d2", "d3"]) await run(`create configmap ${name}`);
    assert.match(await run("delete cm/d1"), deleted('configmap "d1"'));
    assert.match(await run("delete configmap d2"), deleted('configmap "d2"'));
    assert.match(await run("delete -f -", configMap("d3", {})), deleted('configmap "d3"'));
    assert.match(await refused("delete cm d3"), /configmaps "d3" not found/);
  });

  it("KC-28 RS-01 a Pod deleted by force is gone at once, and its ReplicaSet makes a new one", async () => {
    const command = ["/bin/sh", "-c", "trap '' TERM; while :; do sleep 1; done"];
    await cluster.apply([
      nginxDeployment("stuck", {
        image: "busybox:1.29",
        podSpec: { terminationGracePeriodSeconds: 600 },
        container: { command, readinessProbe: null, lifecycle: null },
      }),
    ]);
    await run("rollout status deploy/stuck --timeout=30s");
    const name = (await run("get pods -l app=stuck -o jsonpath={.items[0].metadata.name}")).trim();
    assert.match(await run(`delete pod ${name} --force --grace-period=0`), /force deleted/);
    assert.match(await refused(`get pod ${name}`), /pods "\S+" not found/);
    const created = await until("a new one", () => run("get pods -l app=stuck -o name"));
    assert.ok(!created.includes(name));
    await run("delete deploy stuck --wait=false");
  });

  it("KC-22 API-27 set, label and annotate change one attribute; unset labels are <none>", async () => {
    assert.match(await run("describe cm of-json"), /^Labels: +<none>\nAnnotations: +\S*/m);
    assert.equal(await run("label cm of-json a=1 b=2"), "configmap/of-json labeled\n");
    assert.equal(await run("annotate cm of-json note=text"), "configmap/of-json annotated\n");
    assert.match(await refused("label cm of-json a=3"), /already has a value/);
    assert.match(await run("label cm of-json b-"), /^configmap\/of-json (un)?labeled\n$/);
    assert.equal(await run("get cm of-json -o jsonpath={.metadata.labels}"), '{"a":"1"}');
    assert.match(
      await run("set resources deploy/my-app --limits=memory=64Mi"),
      /resource requirements updated/,
    );
    const limit = "jsonpath={.spec.template.spec.containers[0].resources.limits.memory}";
    assert.equal(await run(`get deploy my-app -o ${limit}`), "64Mi");
  });

  it("API-28 annotations are free: any text under a key, for tools that look for it", async () => {
    const note = `{"any": ["text"]}\nof two lines, and long: ${"x".repeat(1000)}`;
    const annotations = { "prometheus.io/scrape": "true", note };
    const service = { ...serviceOf("my-app"), metadata: { name: "annotated", annotations } };
    await run("create -f -", JSON.stringify(service));
    const { metadata } = await cluster.read<Annotated>("svc annotated");
    assert.deepEqual(metadata.annotations, annotations);
    assert.match(await refused(["label", "svc", "annotated", `note=${note}`]), /[Ii]nvalid/);
    const scraped = '{.items[?(@.metadata.annotations.prometheus\\.io/scrape=="true")]';
    const names = `jsonpath=${scraped}.metadata.name}`;
    assert.equal(await run(["get", "svc", "-o", names]), "annotated");
  });

  it("API-29 CS-02 an annotation or a value that is no string is refused", async () => {
    const annotated =
      "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: t, annotations: {a: true}}\n";
    await refused("apply -f -", annotated);
    await refused("create -f - --validate=false", annotated);
    assert.equal(await post(annotated, "application/yaml"), 400);
    const valued = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: t}\ndata: {a: 3}\n";
    await refused("create -f - --validate=false", valued);
    assert.equal(await post(valued, "application/yaml"), 400);
  });

  it("API-37 QK-07 an unknown or wrongly typed field is refused by its name", async () => {
    const pod = (extra: string): string =>
      `apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: a, image: i, ${extra}}]}\n`;
    assert.match(
      await refused("create -f -", pod("comand: [a]")),
      /unknown field "spec.containers\[0\].comand"|Pod.spec.containers\[0\]\): unknown field "comand"/,
    );
    await refused("create -f - --validate=false", pod("livenessProbe: {exec: {command: cat /x}}"));
  });

  it("API-38 QK-42 a Service's name may hold no capital letters", async () => {
    const service = JSON.stringify(serviceOf("x", {}, "externalIpAssignedService"));
    assert.match(
      await refused("create -f -", service),
      /The Service "externalIpAssignedService" is invalid: metadata\.name: Invalid value/,
    );
  });

  it("DE-04 a Deployment whose selector does not match its template is refused", async () => {
    const deployment = nginxDeployment("mismatch", {
      replicas: 0,
      spec: { selector: { matchLabels: { app: "x" } } },
    });
    assert.match(
      await refused("create -f -", JSON.stringify(deployment)),
      /`selector` does not match template `labels`/,
    );
  });

  it("KC-76 OB-03 exec runs a command in the container and gives its exit status", async () => {
    assert.equal(await run("exec shell -- hostname"), "shell\n");
    assert.equal(await run("exec -i shell -- cat", "typed\n"), "typed\n");
    assert.equal((await cluster.tryKubectl(["exec", "shell", "--", "sh", "-c", "exit 7"])).code, 7);
  });

  it("cp brings files into a Pod and back", async () => {
    const path = file("there.txt", "some bytes");
    await run(`cp ${path} shell:/tmp/there.txt`);
    assert.equal(await run("exec shell -- cat /tmp/there.txt"), "some bytes");
    await run(`cp shell:/tmp/there.txt ${path}.back`);
    assert.equal(await run(["exec", "shell", "--", "sh", "-c", "wc -c </tmp/there.txt"]), "10\n");
  });

  it("KC-79 port-forward joins a port of the host to one of the Pod", async () => {
    await run("rollout status deploy/my-app");
    const forward = cluster.startKubectl("port-forward deploy/my-app :80");
    const [, port] = await until("the port is open", () =>
      /Forwarding from 127\.0\.0\.1:(\d+) -> 80/.exec(forward.output()),
    );
    assert.match(await (await fetch(`http://127.0.0.1:${port}/`)).text(), /Welcome to nginx!/);
    await forward.end();
  });

  it("KC-77 attach joins the running process again", async () => {
    const script = "while :; do date; sleep 1; done";
    await run(["run", "loop", "--image=busybox:1.29", "--command", "--", "sh", "-c", script]);
    await run("wait --for=condition=Ready pod/loop --timeout=20s");
    const session = cluster.startKubectl("attach loop -c loop");
    await until("its output comes", () => / UTC 20\d\d/.test(session.output()));
    await session.end();
    await run("delete pod loop --now");
  });

  it("KC-94 NS-10 a context's namespace is where later commands act", async () => {
    try {
      await run("config set-context --current --namespace=mathxh");
      assert.match(await run("get cm -o name"), /configmap\/anywhere/);
    } finally {
      await run("config set-context --current --namespace=default");
    }
    assert.ok(!(await run("get cm -o name")).includes("anywhere"));
  });

  it("expose makes a Service for a Deployment; wait and diff say what is and would be", async () => {
    assert.equal(
      await run("expose deploy/my-app --port=80 --name=exposed"),
      "service/exposed exposed\n",
    );
    assert.equal(await run("get svc exposed -o jsonpath={.spec.selector.app}"), "my-app");
    const same = await cluster.tryKubectl("diff -f -", { stdin: configMap("of-json", {}) });
    assert.equal(same.code, 0, same.stdout + same.stderr);
    const other = await cluster.tryKubectl("diff -f -", {
      stdin: configMap("of-json", { k: "new" }),
    });
    assert.equal(other.code, 1);
    assert.match(other.stdout, /^\+ {2}k: new$/m);
    await run("wait --for=condition=Ready pod/shell --timeout=5s");
    assert.equal(
      (await cluster.tryKubectl("wait --for=condition=Never pod/shell --timeout=1s")).code,
      1,
    );
  });
});
