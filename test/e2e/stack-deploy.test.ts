// Compose files on Kubernetes: what `docker stack` of the last docker CLI that knows it does with the cluster.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { testDocker } from "../../tools/test-docker.mjs";
import { type Finished, startCluster, type TestCluster, until } from "../support/cluster.ts";

/** The sample application of a web server and its database. */
const PETS = `
version: "3.6"
services:
  web:
    image: nginx:1.25
    ports:
      - 3000:80
  db:
    image: busybox:1.29
    command: [sh, -c, "trap exit TERM; while true; do sleep 0.1; done"]
    volumes:
      - pets-data:/var/lib/postgresql/data
volumes:
  pets-data:
`;

/** A stack whose Pods read a file of each kind. */
const FILES = (version: string): string => `
version: "3.6"
services:
  reader:
    image: busybox:1.29
    command: [sh, -c, "trap exit TERM; while true; do sleep 0.1; done"]
    environment: [VERSION=${version}]
    deploy: { replicas: 2 }
    configs: [{ source: motd, target: /etc/motd }]
    secrets: [password]
configs:
  motd: { file: ./motd.txt }
secrets:
  password: { file: ./password.txt }
`;

describe("docker stack", () => {
  let cluster: TestCluster;
  const run = (line: string | readonly string[]): Promise<string> => cluster.kubectl(line);
  const fieldOf = (what: string, path: string): Promise<string> =>
    run(`get ${what} -o jsonpath={${path}}`);
  const fileOf = (name: string, text: string): string => {
    const path = join(cluster.home, name);
    writeFileSync(path, text);
    return path;
  };
  /** Runs `docker stack WORDS`. */
  const docker = (...words: readonly string[]): Promise<Finished> => {
    const env = { DOCKER_STACK_ORCHESTRATOR: "kubernetes" };
    return cluster.startProgram(testDocker(), ["stack", ...words], { env }).ended;
  };
  const deployed = async (name: string, file: string): Promise<string> => {
    const { code, stdout, stderr } = await docker("deploy", "-c", file, name);
    assert.equal(code, 0, stderr + stdout);
    return stdout;
  };

  before(async () => {
    cluster = await startCluster();
  });
  after(() => cluster.close());

  it("CL-54 a compose file becomes workloads and Services; the published port answers outside", async () => {
    const said = await deployed("app", fileOf("docker-compose.yml", PETS));
    assert.match(said, /^web: Ready/m);
    assert.match(said, /^db: Ready/m);
    assert.match(said, /^Stack app is stable and running$/m);
    const made = await run("get deployments,statefulsets,services -o name");
    assert.equal(
      made,
      [
        "deployment.apps/web",
        "statefulset.apps/db",
        "service/db",
        "service/kubernetes",
        "service/web",
        "service/web-published",
        "",
      ].join("\n"),
    );
    const row = await run("get service web-published --no-headers");
    const nodePort = /^web-published +LoadBalancer +\S+ +<pending> +3000:(\d+)\/TCP/.exec(row)?.[1];
    assert.ok(nodePort, row);
    const answer = await fetch(`http://${await cluster.nodeIp()}:${nodePort}/`);
    assert.match(await answer.text(), /Welcome to nginx/);
    assert.match(await run("exec db-0 -- wget -qO- http://web-published:3000"), /nginx/);
    const looked = await run("exec deploy/web -- nslookup db.default.svc.cluster.local");
    assert.ok(looked.includes(await fieldOf("pod db-0", ".status.podIP")), looked);
  });

  it("SS-19 the service with a volume is a StatefulSet; its data outlive its Pod", async () => {
    const path = "/var/lib/postgresql/data";
    assert.equal(await fieldOf("pod db-0", ".metadata.ownerReferences[0].kind"), "StatefulSet");
    const claim = ".spec.volumes[0].persistentVolumeClaim.claimName";
    assert.equal(await fieldOf("pod db-0", claim), "pets-data-db-0");
    await run(["exec", "db-0", "--", "sh", "-c", `echo rex > ${path}/pets`]);
    const uid = await fieldOf("pod db-0", ".metadata.uid");
    await run("delete pod db-0");
    await until("another Pod of that name runs", async () => {
      const fields = ".metadata.uid}/{.status.containerStatuses[0].ready";
      const [now, isReady] = (await fieldOf("pod db-0", fields)).split("/");
      return now !== uid && isReady === "true";
    });
    assert.equal(await run(`exec db-0 -- cat ${path}/pets`), "rex\n");
    assert.match(await run("get pvc --no-headers"), /^pets-data-db-0 +Bound +\S+ +100Mi +RWO /);
    // a count that the file does not have is the user's
    await run("scale statefulset db --replicas=2");
    await run("rollout status statefulset db --timeout=40s");
    const fields =
      ".metadata.labels.com\\.docker\\.stack\\.namespace}/{.spec.resources.requests.storage";
    assert.equal(await fieldOf("pvc pets-data-db-1", fields), "app/100Mi");
    await run("scale statefulset db --replicas=1");
  });

  it("stack ls, services and ps tell of it; rm removes all but the claims", async () => {
    assert.match((await docker("ls")).stdout, /^app +2 +Kubernetes +default$/m);
    assert.match(
      (await docker("services", "app")).stdout,
      /app_web +replicated +1\/1 +nginx:1\.25 +\*:3000->80\/tcp/,
    );
    const tasks = (await docker("ps", "app")).stdout;
    assert.match(tasks, /app_web-\S+ +nginx:1\.25 +\S+ +Running/);
    assert.match(tasks, /app_db-0 +busybox:1\.29 +\S+ +Running/);
    await until("all is ready", async () => {
      const stack = await run("get stacks --no-headers");
      return /^app +2 +web: 3000 +Available \(All services are ready\) /.test(stack);
    });
    assert.equal((await docker("rm", "app")).code, 0);
    await until("all has gone", async () => {
      const left = await run("get stacks,deployments,statefulsets,services,pods -o name");
      return left === "service/kubernetes\n";
    });
    assert.match(await run("get pvc -o name"), /pets-data-db-0\n.*pets-data-db-1/);
  });

  it("files of the stack are in its Pods; another deploy updates it, and prunes", async () => {
    fileOf("motd.txt", "good day\n");
    fileOf("password.txt", "sesame\n");
    const file = fileOf("files.yml", FILES("v1"));
    assert.match(await deployed("files", file), /Stack files is stable and running/);
    const read = (): Promise<string> =>
      run("exec deploy/reader -- cat /etc/motd /run/secrets/password");
    assert.equal(await read(), "good day\nsesame\n");
    await until("it says so", async () => {
      return (await fieldOf("stack files", ".status.phase")) === "Available";
    });
    const plain = FILES("v2")
      .replace(/^secrets:[^]*/m, "")
      .replace(/^ {4}(secrets|configs): .*\n/gm, "");
    const bare = plain.replace(/^configs:[^]*/m, "");
    await deployed("files", fileOf("files.yml", bare));
    await run("rollout status deploy/reader --timeout=20s");
    assert.match(await run("exec deploy/reader -- env"), /^VERSION=v2$/m);
    assert.equal((await docker("rm", "files")).code, 0);
    await until("its files have gone", async () => {
      return !/password|motd/.test(await run("get secrets,configmaps -o name"));
    });
  });

  it("a name that is taken ends the deploy, and the stack says whose it is", async () => {
    await run("create service clusterip taken --tcp=80");
    const file = fileOf(
      "taken.yml",
      'version: "3.6"\nservices:\n  taken: { image: "nginx:1.25" }\n',
    );
    const { code, stderr } = await docker("deploy", "-c", file, "second");
    assert.equal(code, 1);
    assert.match(stderr, /Failure/);
    assert.equal(
      await fieldOf("stack second", ".status.message"),
      "Service/taken exists already and is not part of this stack",
    );
    assert.equal(await run("get deployments -l com.docker.stack.namespace=second -o name"), "");
    const bad = fileOf("bad.yml", 'version: "3.6"\nservices:\n  my_web: { image: "nginx:1.25" }\n');
    const refused = await docker("deploy", "-c", bad, "third");
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /spec\.services\[0\]\.name: Invalid value: "my_web"/);
  });
});
