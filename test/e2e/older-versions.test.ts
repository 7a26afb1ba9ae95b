import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { parse, stringify } from "yaml";
import { otherKubectls, startCluster, type TestCluster, until } from "../support/cluster.ts";
import { nginxDeployment, serviceOf } from "../support/sample-apps.ts";

/** A manifest as it was written in 2016: no selector, the API group of the time. */
const manifestOf = (name: string, apiVersion: string, image = "nginx:1.14"): string =>
  stringify({
    apiVersion,
    kind: "Deployment",
    metadata: { name },
    spec: {
      replicas: 1,
      template: {
        metadata: { labels: { app: name } },
        spec: { containers: [{ name: "app", image, ports: [{ containerPort: 80 }] }] },
      },
    },
  });

describe("manifests and paths of earlier releases", () => {
  let cluster: TestCluster;
  const run = (line: string | readonly string[], stdin = ""): Promise<string> =>
    cluster.kubectl(line, { stdin });
  const field = (object: string, path: string): Promise<string> =>
    run(`get ${object} -o jsonpath={${path}}`);

  const server = (): Promise<string> =>
    run("config view -o jsonpath={.clusters[0].cluster.server}");

  before(async () => {
    cluster = await startCluster(["nginx"]);
    await cluster.apply([
      nginxDeployment("my-app"),
      serviceOf("my-app", { ports: [{ name: "web", port: 80 }] }, "my-app-svc"),
      serviceOf("my-app", {}, "unnamed-svc"),
    ]);
    await run("rollout status deploy/my-app");
  });
  after(() => cluster?.close());

  it("RS-13 a ReplicationController whose name holds a dot runs two Pods behind a Service", async () => {
    const template = {
      metadata: { labels: { project: "chapter6" } },
      spec: { containers: [{ name: "nginx", image: "nginx:1.14" }] },
    };
    const { code, stdout, stderr } = await cluster.tryKubectl("create -f -", {
      stdin: stringify({
        apiVersion: "v1",
        kind: "ReplicationController",
        metadata: { name: "nginx-1.12" },
        spec: { replicas: 2, selector: { project: "chapter6" }, template },
      }),
    });
    assert.equal(code, 0, stderr);
    assert.equal(stdout, "replicationcontroller/nginx-1.12 created\n");
    await run("wait pod -l project=chapter6 --for=condition=Ready --timeout=30s");
    const columns = (await run("get rc")).split("\n");
    assert.match(columns[0]!, /^NAME +DESIRED +CURRENT +READY +AGE *$/);
    assert.match(columns[1]!, /^nginx-1\.12 +2 +2 +2 +/);
    await run("scale rc nginx-1.12 --replicas=1");
    await until(
      "one Pod is left",
      async () => (await run("get pod -l project=chapter6 -o name")).split("\n").length === 2,
    );
    await run("delete rc nginx-1.12 --cascade=orphan");
    assert.match(await run("get pod -l project=chapter6 -o name"), /^pod\/nginx-1\.12-\w{5}\n$/);
  });

  it("CS-10 RB-12 the token of an account lies in a Secret, and logs its holder in", async () => {
    const line = (await run("get secret")).split("\n").find((one) => /^default-token-/.test(one));
    assert.match(line!, /^default-token-\w{5} +kubernetes\.io\/service-account-token +3 +\d+s/);
    const name = line!.split(" ")[0]!;
    assert.match(await run("describe sa default"), new RegExp(`Tokens: +${name}\n`));
    const token = Buffer.from(await field(`secret ${name}`, ".data.token"), "base64").toString();
    const asAccount = ["--kubeconfig=/dev/null", "--server", await server(), `--token=${token}`];
    const access = ["auth", "whoami", "--insecure-skip-tls-verify", ...asAccount];
    assert.match(await run(access), /system:serviceaccount:default:default/);
    await run(`delete secret ${name}`);
    const refused = await cluster.tryKubectl(access);
    assert.match(refused.stderr, /You must be logged in|Unauthorized/);
  });

  it("API-13 apps/v1beta1 and extensions/v1beta1 take the selector from the template's labels", async () => {
    for (const [name, apiVersion] of [
      ["first", "extensions/v1beta1"],
      ["second", "apps/v1beta1"],
    ] as const) {
      const { code, stderr } = await cluster.tryKubectl("apply -f -", {
        stdin: manifestOf(name, apiVersion),
      });
      assert.equal(code, 0, stderr);
      assert.match(
        stderr,
        new RegExp(`Warning: ${apiVersion} Deployment is deprecated in v1\\.8\\+, unavailable in`),
      );
      assert.equal(await field(`deploy ${name}`, ".spec.selector.matchLabels.app"), name);
      await run(`rollout status deploy/${name} --timeout=20s`);
    }
    const refused = await cluster.tryKubectl("apply -f - --validate=false", {
      stdin: manifestOf("third", "apps/v1"),
    });
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /spec\.selector/);
  });

  it("API-14 an object of extensions/v1beta1 is updated with apps/v1 and stays the same one", async () => {
    await run("apply -f -", manifestOf("webapp-deployment", "extensions/v1beta1"));
    const uid = await field("deploy webapp-deployment", ".metadata.uid");
    const later = parse(manifestOf("webapp-deployment", "apps/v1", "nginx:1.25")) as {
      spec: object;
    };
    const selector = { matchLabels: { app: "webapp-deployment" } };
    const manifest = stringify({ ...later, spec: { ...later.spec, selector } });
    assert.equal(
      await run("apply -f -", manifest),
      "deployment.apps/webapp-deployment configured\n",
    );
    await run("rollout status deploy/webapp-deployment --timeout=20s");
    for (const version of ["extensions", "v1beta1.apps", "v1beta2.apps", "v1.apps"]) {
      const object = `deployments.${version} webapp-deployment`;
      assert.equal(await field(object, ".metadata.uid"), uid);
      assert.match(await field(object, ".spec.template.spec.containers[0].image"), /:1\.25$/);
    }
    assert.equal((await run("get all -o name")).match(/webapp-deployment$/gm)?.length, 1);
  });

  it("API-17 PATCH of apps/v1beta1 with a strategic merge changes one container", async () => {
    const proxy = cluster.startKubectl("proxy --port=0");
    const [, port] = await until("the proxy serves", () =>
      /Starting to serve on 127\.0\.0\.1:(\d+)/.exec(proxy.output()),
    );
    const path = "/apis/apps/v1beta1/namespaces/default/deployments/my-app";
    const containers = [{ name: "nginx", env: [{ name: "DEMO", value: "1" }] }];
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
      method: "PATCH",
      headers: { "content-type": "application/strategic-merge-patch+json" },
      body: JSON.stringify({ spec: { template: { spec: { containers } } } }),
    });
    const { apiVersion } = (await answer.json()) as { apiVersion: string };
    assert.deepEqual([answer.status, apiVersion], [200, "apps/v1beta1"]);
    await proxy.end();
    const container = ".spec.template.spec.containers[0]";
    assert.equal(await field("deploy my-app", `${container}.env[0].value`), "1");
    assert.match(await field("deploy my-app", `${container}.image`), /^nginx:/);
    await run("rollout status deploy/my-app --timeout=20s");
  });

  it("API-15 a version that never was is refused by its name", async () => {
    const { code, stderr } = await cluster.tryKubectl("apply -f -", {
      stdin: manifestOf("never", "apps/v9beta1"),
    });
    assert.equal(code, 1);
    assert.match(stderr, /no matches for kind "Deployment" in version "apps\/v9beta1"/);
  });

  it("API-20 API-22 API-23 a Service answers under the old and the new forms of its proxy path", async () => {
    for (const path of [
      "/api/v1/proxy/namespaces/default/services/my-app-svc:80/",
      "/api/v1/namespaces/default/services/my-app-svc:web/proxy/",
      "/api/v1/namespaces/default/services/http:unnamed-svc:/proxy/",
    ])
      assert.match(await run(["get", "--raw", path]), /Welcome to nginx!/, path);
  });

  it("API-42 a client outside logs in with endpoint, CA and a service account's token", async () => {
    await run("create serviceaccount outside");
    await run("create rolebinding outside --clusterrole=view --serviceaccount=default:outside");
    const path = "/api/v1/namespaces/default/serviceaccounts/outside/token";
    const request = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: {} };
    const answer = await run(`create --raw ${path} -f -`, JSON.stringify(request));
    const { status } = JSON.parse(answer) as { status: { token: string } };
    const config = parse(readFileSync(cluster.kubeconfig, "utf8")) as {
      clusters: { cluster: { server: string; "certificate-authority-data": string } }[];
    };
    const [{ cluster: own }] = config.clusters as [(typeof config.clusters)[0]];
    const ca = join(cluster.home, "ca.crt");
    writeFileSync(ca, Buffer.from(own["certificate-authority-data"], "base64"));
    const login = `--server=${own.server} --certificate-authority=${ca} --token=${status.token}`;
    const outside = (line: string) =>
      cluster.tryKubectl(`${line} ${login}`, { env: { KUBECONFIG: "/dev/null" } });
    assert.match((await outside("get pods")).stdout, /^my-app-/m);
    const { stderr } = await outside("get secrets");
    assert.match(stderr, /User "system:serviceaccount:default:outside" cannot list/);
  });

  for (const version of otherKubectls())
    it(`kubectl ${version} applies and reads what extensions/v1beta1 was`, async () => {
      const name = `by-${version.replace(".", "-")}`;
      const apply = () =>
        cluster.kubectl("apply -f -", { version, stdin: manifestOf(name, "extensions/v1beta1") });
      assert.match(await apply(), /created/);
      assert.match(await apply(), /unchanged/);
      const all = await cluster.kubectl("get deploy -o name", { version });
      assert.match(all, new RegExp(`^deployment\\.apps/${name}$`, "m"));
      await cluster.kubectl(`delete deploy ${name}`, { version });
    });
});
