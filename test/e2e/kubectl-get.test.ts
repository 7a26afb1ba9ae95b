import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { otherKubectls, startCluster, type TestCluster, until } from "../support/cluster.ts";
import { nginxDeployment, serviceOf, shellPod, WAITING } from "../support/sample-apps.ts";

const secret = {
  apiVersion: "v1",
  kind: "Secret",
  metadata: { name: "mongodb-secret" },
  type: "Opaque",
  data: { username: "am9obi5kb2UK", password: "c0VjcmV0LXBhc1N3MHJE" },
};

describe("kubectl looks at a cluster", () => {
  let cluster: TestCluster;
  const get = (line: string): Promise<string> => cluster.kubectl(`get ${line}`);
  const header = async (line: string): Promise<string> =>
    (await get(line)).split("\n")[0]!.trim().replaceAll(/ {2,}/g, "|");

  before(async () => {
    cluster = await startCluster();
    await cluster.kubectl("create namespace team");
    await cluster.apply([
      secret,
      nginxDeployment("web"),
      serviceOf("web", {
        type: "NodePort",
        ports: [{ port: 8081, targetPort: 80, nodePort: 30_111 }],
      }),
      serviceOf("web", { type: "LoadBalancer" }, "outside"),
      shellPod("web-pod", WAITING, { labels: { purpose: "sandbox", disk: "ssd" } }),
      shellPod("other", `echo first line; echo to stderr >&2; ${WAITING}`, {
        labels: { purpose: "sandbox" },
        spec: {
          containers: [
            {
              name: "one",
              image: "busybox:1.29",
              command: ["/bin/sh", "-c", `echo of one; echo to stderr >&2; ${WAITING}`],
            },
            {
              name: "two",
              image: "busybox:1.29",
              command: ["/bin/sh", "-c", `echo of two; ${WAITING}`],
            },
          ],
        },
      }),
    ]);
    await cluster.kubectl("wait --for=condition=Ready pod --all --timeout=30s");
    await cluster.kubectl("rollout status deploy/web");
  });
  after(() => cluster?.close());

  it("KC-29 KC-30 KC-32 get pods has its columns; READY counts containers, AGE is short", async () => {
    assert.equal(await header("pods"), "NAME|READY|STATUS|RESTARTS|AGE");
    const table = await get("pods");
    assert.match(table, /^web-pod +1\/1 +Running +0 +(\d+[smh]){1,2}$/m);
    assert.match(table, /^other +2\/2 +Running +0 +(\d+[smh]){1,2}$/m);
  });

  it("KC-34 KC-35 NS-05 -A shows all namespaces, -n one, and without either it is default", async () => {
    await cluster.kubectl("run lone --image=busybox:1.29 -n team -- sleep 100");
    assert.equal(await header("pods -A"), "NAMESPACE|NAME|READY|STATUS|RESTARTS|AGE");
    const all = await get("pods -A --no-headers");
    assert.match(all, /^default +web-pod /m);
    assert.match(all, /^team +lone /m);
    assert.equal(await get("pods -n team -o name"), "pod/lone\n");
    assert.equal(await get("pods --namespace=team -o name"), "pod/lone\n");
    assert.ok(!(await get("pods -o name")).includes("lone"));
  });

  it("KC-36 PO-07 -o wide adds IP, NODE, NOMINATED NODE and READINESS GATES; every Pod has its own IP", async () => {
    assert.equal(
      await header("pod -o wide"),
      "NAME|READY|STATUS|RESTARTS|AGE|IP|NODE|NOMINATED NODE|READINESS GATES",
    );
    const rows = (await get("pod -o wide --no-headers")).trim().split("\n");
    const ips = rows.map((row) => row.split(/ +/)[5]);
    for (const ip of ips) assert.match(ip!, /^10\.\d+\.\d+\.\d+$/);
    assert.equal(new Set(ips).size, rows.length);
    for (const row of rows) assert.match(row, / e2e-\d+-1 +<none> +<none>$/);
  });

  it("KC-37 KC-38 API-02 -o yaml and -o json show the live object, its namespace and its status", async () => {
    const yaml = await get("pod web-pod -o yaml");
    assert.match(yaml, /^apiVersion: v1\nkind: Pod\nmetadata:\n/);
    assert.match(yaml, /^ {2}namespace: default$/m);
    assert.match(yaml, /^status:\n/m);
    assert.match(yaml, /^ {2}phase: Running$/m);
    const pod = JSON.parse(await get("pod web-pod -o json")) as { status: { phase: string } };
    assert.equal(pod.status.phase, "Running");
  });

  it("KC-39 the node port can be cut out of the YAML", async () => {
    const lines = (await get("svc/web -o yaml"))
      .split("\n")
      .filter(
        (line) =>
          line.includes("nodePort") && !line.includes("last-applied") && !line.includes("{"),
      );
    assert.deepEqual(lines, ["  - nodePort: 30111"]);
    assert.equal(lines[0]!.split(" ")[4], "30111");
  });

  it("KC-97 -o name, jsonpath and custom-columns work on all kinds alike", async () => {
    assert.equal(await get("deploy -o name"), "deployment.apps/web\n");
    assert.equal(await get("svc web -o jsonpath={.spec.ports[0].nodePort}"), "30111");
    assert.equal(
      await get("secret mongodb-secret -o custom-columns=N:.metadata.name,T:.type"),
      "N                T\nmongodb-secret   Opaque\n",
    );
  });

  it("KC-40 --watch prints a line for each change", async () => {
    const watch = cluster.startKubectl("get pods --watch -l app=watched");
    await cluster.apply([shellPod("watched", WAITING)]);
    await until("the Pod runs", () => /^watched +1\/1 +Running/m.test(watch.output()));
    assert.match(watch.output(), /^watched +0\/1 +(Pending|ContainerCreating) /m);
    await cluster.kubectl("delete pod watched");
    await until("it goes", () => /^watched +\d\/1 +Terminating/m.test(watch.output()));
    await watch.end();
  });

  it("KC-42 get nodes has its columns and the ready node", async () => {
    assert.equal(await header("nodes"), "NAME|STATUS|ROLES|AGE|VERSION");
    assert.match(
      await get("nodes --no-headers"),
      /^e2e-\d+-1 +Ready +control-plane +\S+ +v1\.\d+\.\d+\S*\n$/,
    );
  });

  it("KC-24 KC-41 API-34 nodes are labelled with several pairs at once and selected by all of them", async () => {
    const name = (await get("nodes -o jsonpath={.items[0].metadata.name}")).trim();
    assert.equal(
      await cluster.kubectl(`label node ${name} purpose=sandbox disk=ssd`),
      `node/${name} labeled\n`,
    );
    assert.equal(await get("node --selector purpose=sandbox,disk=ssd -o name"), `node/${name}\n`);
    assert.equal(await get("node --selector purpose=sandbox,disk=hdd -o name"), "");
    assert.equal(await get("pods --selector purpose=sandbox,disk=ssd -o name"), "pod/web-pod\n");
    assert.equal(await get("pods -l purpose=sandbox,disk!=ssd -o name"), "pod/other\n");
  });

  it("KC-43 API-16 get all has a section per kind, with the kind before each name", async () => {
    const sections = (await get("all")).trim().split("\n\n");
    assert.deepEqual(
      sections.map((section) => /^(\S+)\//m.exec(section)?.[1]),
      ["pod", "service", "deployment.apps", "replicaset.apps"],
    );
    assert.match(sections[1]!, /^service\/kubernetes +ClusterIP/m);
  });

  it("KC-44 get deployments has its columns", async () => {
    assert.equal(await header("deployments"), "NAME|READY|UP-TO-DATE|AVAILABLE|AGE");
    assert.match(await get("deployments"), /^web +1\/1 +1 +1 +\S+$/m);
  });

  it("KC-47 KC-49 KC-50 get svc shows type, addresses and ports", async () => {
    for (const noun of ["svc", "service", "services"])
      assert.equal(await header(noun), "NAME|TYPE|CLUSTER-IP|EXTERNAL-IP|PORT(S)|AGE");
    const table = await get("svc");
    assert.match(table, /^kubernetes +ClusterIP +10\.\S+ +<none> +443\/TCP +/m);
    assert.match(table, /^web +NodePort +10\.\S+ +<none> +8081:30111\/TCP +/m);
    assert.match(table, /^outside +LoadBalancer +10\.\S+ +<pending> +80:3\d{4}\/TCP +/m);
  });

  it("SV-11 the Service kubernetes is there, at the first address of its range", async () => {
    assert.match(await get("svc kubernetes --no-headers"), / 10\.\d+\.0\.1 +<none> +443\/TCP /);
  });

  it("KC-54 CS-25 get secret counts its keys", async () => {
    assert.equal(await header("secret"), "NAME|TYPE|DATA|AGE");
    assert.match(await get("secret"), /^mongodb-secret +Opaque +2 +\S+$/m);
  });

  it("KC-55 CS-26 every namespace has the ConfigMap kube-root-ca.crt of one key", async () => {
    assert.equal(await header("configmap"), "NAME|DATA|AGE");
    for (const namespace of ["default", "kube-system", "team"])
      assert.match(await get(`configmap -n ${namespace}`), /^kube-root-ca\.crt +1 +\S+$/m);
  });

  it("KC-56 NS-01 get namespace lists the four first ones, all Active", async () => {
    assert.equal(await header("namespace"), "NAME|STATUS|AGE");
    const table = await get("namespace");
    for (const name of ["default", "kube-node-lease", "kube-public", "kube-system"])
      assert.match(table, new RegExp(`^${name} +Active +\\S+$`, "m"));
  });

  it("KC-57 KC-58 short names, singular, plural and TYPE/NAME mean the same", async () => {
    for (const line of [
      "pod web-pod",
      "pods web-pod",
      "po web-pod",
      "pod/web-pod",
      "pods/web-pod",
      "po/web-pod",
    ])
      assert.equal(await get(`${line} -o name`), "pod/web-pod\n");
    for (const line of ["svc/web", "service web", "services/web"])
      assert.equal(await get(`${line} -o name`), "service/web\n");
    for (const line of ["deploy/web", "deployment web", "deployments.apps/web"])
      assert.equal(await get(`${line} -o name`), "deployment.apps/web\n");
    for (const noun of ["no", "ns", "cm", "ep", "sa", "rs"]) await get(noun);
  });

  it("KC-59 KC-61 KC-63 describe pod shows the Pod, its containers, and its events at the end", async () => {
    const text = await cluster.kubectl("describe pod web-pod");
    for (const label of [
      "Namespace: +default",
      "Node: +e2e-\\d+-1/10\\.",
      "Start Time:",
      "Labels:",
      "Annotations:",
      "Status: +Running",
      "IP: +10\\.",
      "QoS Class: +BestEffort",
    ])
      assert.match(text, new RegExp(`^${label}`, "m"));
    assert.match(text, /^ {4}Container ID: +containerd:\/\/[0-9a-f]{64}$/m);
    assert.match(text, /^ {4}Image: +busybox:1\.29$/m);
    assert.match(
      text.slice(text.indexOf("Events:")),
      /^Events:\n +Type +Reason +Age +From +Message\n/,
    );
    for (const reason of ["Scheduled", "Pulled", "Created", "Started"])
      assert.match(text, new RegExp(`^ +Normal +${reason} `, "m"));
    assert.match(text, /Successfully assigned default\/web-pod to e2e-\d+-1/);
  });

  it("KC-62 PO-55 describe shows the token volume that every Pod gets, and it is mounted", async () => {
    const text = await cluster.kubectl("describe pod web-pod");
    assert.match(
      text,
      /\/var\/run\/secrets\/kubernetes\.io\/serviceaccount from kube-api-access-\w{5} \(ro\)/,
    );
    const files = await cluster.kubectl(
      "exec web-pod -- ls /var/run/secrets/kubernetes.io/serviceaccount",
    );
    assert.deepEqual(files.trim().split("\n"), ["ca.crt", "namespace", "token"]);
  });

  it("KC-60 describe pods without a name describes every Pod of the namespace", async () => {
    const text = await cluster.kubectl("describe pods");
    const described = [...text.matchAll(/^Name: +(\S+)$/gm)].map(([, name]) => name);
    const listed = (await get("pods -o name"))
      .trim()
      .split("\n")
      .map((name) => name.slice(4));
    assert.deepEqual(described.sort(), listed.sort());
    for (const name of ["web-pod", "other"]) assert.ok(described.includes(name), name);
  });

  it("KC-65 RS-10 describe rs has the event that names the Pod it made", async () => {
    const made = /Normal +SuccessfulCreate +\S+ +replicaset-controller +Created pod: web-\w+-\w{5}/;
    await until("the event is described", async () =>
      made.test(await cluster.kubectl("describe rs -l app=web")),
    );
  });

  it("KC-67 SV-41 SV-42 describe service shows addresses, ports, end points and policies", async () => {
    const text = await until("the end point is described", async () => {
      const described = await cluster.kubectl("describe service web");
      return /^Endpoints: +10\./m.test(described) && described;
    });
    for (const line of [
      "Namespace: +default",
      "Selector: +app=web",
      "Type: +NodePort",
      "IP Family Policy: +SingleStack",
      "IP Families: +IPv4",
      "IP: +10\\.",
      "IPs: +10\\.",
      "Port: +<unset> +8081/TCP",
      "TargetPort: +80/TCP",
      "NodePort: +<unset> +30111/TCP",
      "Endpoints: +10\\.[0-9.]+:80",
      "Session Affinity: +None",
      "External Traffic Policy: +Cluster",
      "Events: +<none>",
    ])
      assert.match(text, new RegExp(`^${line}`, "m"));
  });

  it("SV-28 SV-29 SV-43 the end points are the address of the Pod", async () => {
    const ip = await get("pod -l app=web -o jsonpath={.items[0].status.podIP}");
    assert.match(await get("endpoints web --no-headers"), new RegExp(`^web +${ip}:80 `));
    const text = await cluster.kubectl("describe svc outside");
    assert.match(text, new RegExp(`^Endpoints: +${ip}:80$`, "m"));
    assert.match(text, /^Port: +<unset> +80\/TCP$/m);
  });

  it("KC-68 KC-69 describe node shows labels, sizes, and its Pods with their sums", async () => {
    const text = await cluster.kubectl("describe nodes");
    assert.match(text, /^Name: +e2e-\d+-1\nRoles: +control-plane\nLabels: +\S+=\S+\n +\S+=\S+\n/);
    assert.match(text, /^ +kubernetes\.io\/hostname=e2e-\d+-1$/m);
    assert.match(text, /^Capacity:\n +cpu: +\d+\n[^]*^ +memory: +\d+Ki\n[^]*^Allocatable:\n/m);
    assert.match(text, /^ +default +web-pod +0 \(0%\) +0 \(0%\) +0 \(0%\) +0 \(0%\) +\S+$/m);
    assert.match(text, /^ +cpu +0 \(0%\) +0 \(0%\)$/m);
  });

  it("KC-70 CS-15 describe secret shows keys and lengths, never values", async () => {
    const text = await cluster.kubectl("describe secret mongodb-secret");
    assert.match(text, /^password: +15 bytes$/m);
    assert.match(text, /^username: +9 bytes$/m);
    assert.ok(!/am9obi5|c0VjcmV0|sEcret|john/.test(text));
  });

  it("CS-13 CS-14 -o yaml shows base64 that can be turned back", async () => {
    const yaml = await get("secret mongodb-secret -o yaml");
    const value = (key: string): string =>
      Buffer.from(new RegExp(`^ {2}${key}: (\\S+)$`, "m").exec(yaml)![1]!, "base64").toString();
    assert.equal(value("password"), "sEcret-pasSw0rD");
    assert.equal(value("username"), "john.doe\n");
  });

  it("KC-71 OB-02 logs prints stdout and stderr of the container", async () => {
    const text = await cluster.kubectl("logs other -c one");
    assert.match(text, /^of one$/m);
    assert.match(text, /^to stderr$/m);
    assert.match(
      await cluster.kubectl("logs other --all-containers --prefix"),
      /^\[pod\/other\/two\] of two$/m,
    );
    assert.equal(await cluster.kubectl("logs other -c two --tail=1"), "of two\n");
    assert.match(
      await cluster.kubectl("logs other -c two --timestamps"),
      /^\d{4}-\d\d-\d\dT\S+Z of two$/m,
    );
  });

  it("KC-72 logs -f follows one container of several", async () => {
    const follow = cluster.startKubectl("logs -f other -c two");
    await until("the first line", () => follow.output().includes("of two"));
    await cluster.kubectl([
      "exec",
      "other",
      "-c",
      "two",
      "--",
      "/bin/sh",
      "-c",
      "echo later >/proc/1/fd/1",
    ]);
    await until("a later line", () => follow.output().includes("later"));
    await follow.end();
    assert.ok(!follow.output().includes("of one"));
  });

  it("cluster-info dump writes what is served, and ends at what is not", async () => {
    const folder = join(cluster.home, "dump");
    const line = `cluster-info dump --namespaces=default --output-directory=${folder}`;
    const { code, stderr } = await cluster.tryKubectl(line);
    const written = (name: string): { readonly kind: string; readonly items: readonly object[] } =>
      JSON.parse(readFileSync(join(folder, name), "utf8")) as never;
    assert.deepEqual(
      [written("nodes.json").kind, written("nodes.json").items.length],
      ["NodeList", 1],
    );
    assert.equal(written("default/events.json").kind, "EventList");
    if (code === 0) return assert.equal(written("default/pods.json").kind, "PodList");
    // It ends at the first kind that is not there.
    const served = (await cluster.kubectl("api-resources -o name")).split("\n");
    const asked = ["replicationcontrollers", "daemonsets.apps"];
    assert.ok(!asked.every((kind) => served.includes(kind)), stderr);
    assert.match(
      stderr,
      /^Error from server \(NotFound\): the server could not find the requested/,
    );
  });

  it("KC-81 cluster-info names the API's and the DNS's address", async () => {
    const text = (await cluster.kubectl("cluster-info")).replaceAll(/\x1b\[[\d;]*m/g, "");
    assert.match(text, /^Kubernetes control plane is running at https:\/\/127\.0\.0\.1:\d+$/m);
    assert.match(
      text,
      /^CoreDNS is running at https:\/\/\S+\/namespaces\/kube-system\/services\/kube-dns:dns\/proxy$/m,
    );
    assert.match(text, /use 'kubectl cluster-info dump'/);
  });

  it("KC-83 API-43 version prints the client's and the server's", async () => {
    const text = await cluster.kubectl("version");
    assert.match(text, /^Client Version: (v1\.|version\.Info\{.*GitVersion:"v1\.)/m);
    assert.match(text, /^Server Version: (version\.Info\{.*GitVersion:")?v1\.36\.\d+/m);
  });

  it("KC-93 top says that there is no metrics API", async () => {
    const { code, stderr } = await cluster.tryKubectl("top node");
    assert.equal(code, 1);
    assert.match(stderr, /Metrics API not available/);
  });

  it("explain, api-resources, api-versions and auth can-i answer", async () => {
    assert.match(
      await cluster.kubectl("explain pod.spec.containers.image"),
      /FIELD: +image <string>/,
    );
    assert.match(
      await cluster.kubectl("api-resources"),
      /^deployments +deploy +apps\/v1 +true +Deployment$/m,
    );
    assert.match(await cluster.kubectl("api-versions"), /^apps\/v1$/m);
    assert.equal(await cluster.kubectl("auth can-i create pods"), "yes\n");
  });

  it("API-40 events are objects with type, reason, age, source and message, which describe shows", async () => {
    assert.equal(
      await header("events -o wide"),
      "LAST SEEN|TYPE|REASON|OBJECT|SUBOBJECT|SOURCE|MESSAGE|FIRST SEEN|COUNT|NAME",
    );
    assert.match(
      await get("events -o wide"),
      /^\S+ +Normal +Pulled +pod\/web-pod +spec\.containers\{main\} +kubelet, e2e-\d+-1 +Container image "busybox:1\.29" already present on machine/m,
    );
    assert.match(
      await cluster.kubectl("describe pod web-pod"),
      /^ +Normal +Pulled +\S+ +kubelet +Container image "busybox:1\.29" already present/m,
    );
  });

  it("OB-01 OB-17 get and describe say that a Pod failed, its log why, and exec looks inside", async () => {
    const script = "echo no database at db:5432 >&2; exit 3";
    const command = ["/bin/sh", "-c", script];
    await cluster.apply([
      shellPod("sick", "", { container: { command }, spec: { restartPolicy: "Never" } }),
    ]);
    await until("get says that it failed", async () =>
      /^sick +0\/1 +Error +0 /m.test(await get("pods")),
    );
    const text = await cluster.kubectl("describe pod sick");
    assert.match(text, /^ +State: +Terminated\n +Reason: +Error\n +Exit Code: +3$/m);
    assert.match(text, /^ +Ready +False/m);
    assert.equal(await cluster.kubectl("logs sick"), "no database at db:5432\n");
    const inside = await cluster.kubectl("exec web-pod -- cat /etc/resolv.conf");
    assert.match(inside, /^search default\.svc\.cluster\.local /m);
    await cluster.kubectl("delete pod sick");
  });

  for (const version of otherKubectls())
    it(`kubectl ${version} lists, describes, logs, execs, applies and deletes`, async () => {
      const run = (line: string, stdin = ""): Promise<string> =>
        cluster.kubectl(line, { version, stdin });
      assert.match(await run("get pods"), /^NAME +READY +STATUS +RESTARTS +AGE\n/);
      assert.match(await run("get all"), /^deployment\.apps\/web /m);
      assert.match(await run("describe pod web-pod"), /^Events:\n/m);
      assert.equal(
        await run("logs other -c two --tail=1 --since=1h"),
        await run("logs other -c two --tail=1"),
      );
      assert.equal(await run("exec web-pod -- echo hello"), "hello\n");
      const map = `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: by-${version.replace(".", "-")}}\n`;
      assert.match(await run("apply -f -", map), /created/);
      assert.match(await run("apply -f -", map), /unchanged/);
      assert.match(await run("delete -f -", map), /deleted/);
    });
});
