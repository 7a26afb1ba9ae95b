// Clusters on a machine of their own (a network and a mount namespace), so that what they leave behind is seen exactly:
// starting, stopping, crashing, two side by side, and the removal of every trace.
import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { sleep } from "../../src/base/clock.ts";
import { SystemClock } from "../../src/base/system-clock.ts";
import { findClusterProcesses } from "../../src/host/cluster-processes.ts";
import { type ClusterFile, readClusterFile } from "../../src/host/cluster-file.ts";
import { readLivePid, recordOf } from "../../src/host/process-record.ts";
import { StateFolder } from "../../src/host/state-folder.ts";
import { processesOfNode } from "../../src/host/supervisor.ts";
import { testImageArchive } from "../../tools/make-test-images.mjs";

const ENTRY = join(process.cwd(), "bin/skiff.cjs");
/** How long a cluster may take to mend itself, in ms: restarts begin within 0.1 s and take 2 s on a busy machine. */
const MENDED_MS_MAX = 30_000;

interface Outcome {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

describe("clusters on a machine", () => {
  const clock = new SystemClock();
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "skiff-life-")));
  const home = join(folder, "home");
  const kubeconfig = join(folder, "kubeconfig");
  const one = new StateFolder(home, "one");
  const two = new StateFolder(home, "two");
  let machine: ChildProcess;
  let untouched: unknown;

  const inMachine = (...words: readonly string[]): readonly string[] => [
    ...["nsenter", `--net=/proc/${machine.pid}/ns/net`, `--mount=/proc/${machine.pid}/ns/mnt`],
    ...["--", ...words],
  ];
  const run = (words: readonly string[], input = ""): Promise<Outcome> =>
    new Promise((resolve, reject) => {
      const [file, ...args] = inMachine(...words);
      const env = { ...process.env, SKIFF_HOME: home, KUBECONFIG: kubeconfig };
      const child = spawn(file!, args, { env });
      let out = "";
      let err = "";
      child.stdout.on("data", (part: Buffer) => (out += part.toString()));
      child.stderr.on("data", (part: Buffer) => (err += part.toString()));
      child.on("error", reject);
      // "close" and not "exit": it comes when nobody holds the output any more, as in `x=$(skiff start)`.
      child.on("close", (status) => resolve({ status: status ?? 128, out, err }));
      child.stdin.on("error", () => {});
      child.stdin.end(input);
    });
  const skiff = (...words: readonly string[]): Promise<Outcome> =>
    run([process.execPath, ENTRY, ...words]);
  const done = async (outcome: Promise<Outcome>): Promise<string> => {
    const { status, out, err } = await outcome;
    assert.equal(status, 0, `${err}\n${out}`);
    return out;
  };
  const kubectl = (...words: readonly string[]): Promise<string> =>
    done(run(["kubectl", ...words]));
  const until = async (what: string, test: () => boolean | Promise<boolean>): Promise<void> => {
    const end = clock.monotonic() + MENDED_MS_MAX;
    while (!(await test())) {
      assert.ok(clock.monotonic() < end, what);
      await sleep(clock, 50);
    }
  };
  /** What the machine consists of, as far as clusters could change it. */
  const look = (): unknown => {
    const text = (...words: readonly string[]): string => {
      const [file, ...args] = inMachine(...words);
      return execFileSync(file!, args).toString();
    };
    const links = JSON.parse(text("ip", "-json", "link")) as { ifname: string }[];
    const ids = [one.id, two.id];
    return {
      links: links.map(({ ifname }) => ifname),
      routes: text("ip", "route", "show", "table", "all"),
      rules: text("nft", "list", "ruleset"),
      forwarding: text("cat", "/proc/sys/net/ipv4/ip_forward"),
      // The pins of other clusters come and go.
      mounts: text("cat", "/proc/self/mountinfo")
        .split("\n")
        .filter((line) => line.includes(folder) || !/\/nodes\/\S+\/ns/.test(line)),
      folders: text("ls", "/run", "/var/lib", "/var/log"),
      home: existsSync(home),
      cgroups: execFileSync("find", ["/sys/fs/cgroup", "-maxdepth", "2", "-name", "skiff-*"])
        .toString()
        .split("\n")
        .filter((path) => ids.some((id) => path.includes(id))),
    };
  };
  /** Everything that runs for a cluster, containers and shims included; `pid:startTime`. */
  const alive = (state: StateFolder): readonly string[] => {
    const { supervisors, roles } = findClusterProcesses(state.path);
    const nodes = existsSync(join(state.path, "nodes"))
      ? readdirSync(join(state.path, "nodes"))
      : [];
    const inside = nodes.flatMap((name) =>
      processesOfNode(
        join(state.node(name).root, "lib-kubelet"),
        "/var/lib/kubelet",
        `/skiff-${state.id}/${name}`,
      ),
    );
    return [...new Set([...supervisors, ...roles, ...inside])].flatMap(identity);
  };
  const identity = (pid: number): readonly string[] => {
    const record = recordOf(pid);
    return record ? [`${pid}:${record.startTime}`] : [];
  };
  const stillAlive = (identities: readonly string[]): readonly string[] =>
    identities.filter((text) => identity(Number(text.split(":")[0])).includes(text));
  /** The containers' own web servers, by identity: they change only when a container is started anew. */
  const webServers = (): readonly string[] =>
    alive(one)
      .filter((text) => {
        const words = readFileSync(`/proc/${text.split(":")[0]}/cmdline`, "utf8").split("\0");
        return words[0] === "httpd";
      })
      .sort();
  const statusOf = async (name: string): Promise<ClusterStatus> =>
    JSON.parse((await skiff("status", "--name", name, "-o", "json")).out) as ClusterStatus;
  const mended = (): Promise<void> =>
    until("the cluster is whole again", async () => {
      if ((await statusOf("one")).status !== "running") return false;
      const { status } = await run(["kubectl", "exec", "web-1", "--", "true"]);
      return status === 0 && (await run(["kubectl", "exec", "web-2", "--", "true"])).status === 0;
    });
  /** Asks from within the pod's network namespace: the machine's curl, since busybox's static one resolves nothing. */
  const fetched = (pod: string, url: string): Promise<string> => {
    const pids = webServers().map((text) => text.split(":")[0]!);
    const pid = pids.find(
      (id) => readFileSync(`/proc/${id}/root/tmp/index.html`, "utf8") === `${pod}\n`,
    );
    return done(run(["nsenter", `--net=/proc/${pid}/ns/net`, "--", "curl", "-sm5", url]));
  };
  /** The web servers' processes, and what the API says of their containers: ids, start times, restarts. */
  const allContainers = async (): Promise<readonly string[]> => {
    const path = "{.containerID} {.state.running.startedAt} {.restartCount}";
    const output = `jsonpath={range .items[*].status.containerStatuses[*]}${path}{"\\n"}{end}`;
    const known = await kubectl("get", "pods", "-l", "app=web", "-o", output);
    return [...webServers(), ...known.trim().split("\n").sort()];
  };
  /** Asks the Service from each pod, and a node port, until told to stop. @returns the answers that were none. */
  const askThroughout = async (): Promise<() => Promise<readonly string[]>> => {
    const flag = join(folder, "enough");
    rmSync(flag, { force: true });
    const script = 'until [ -e "$2" ]; do curl -sSm5 "$1" 2>&1 || echo failed; sleep 0.05; done';
    const ask = (url: string, pid?: string): Promise<string> => {
      const inPod = pid ? ["nsenter", `--net=/proc/${pid}/ns/net`, "--"] : [];
      return done(run([...inPod, "sh", "-c", script, "sh", url, flag]));
    };
    const clusterIp = await kubectl("get", "service", "web", "-o", "jsonpath={.spec.clusterIP}");
    const asked = [
      ...webServers().map((text) => ask(`http://${clusterIp}/`, text.split(":")[0])),
      ask("http://10.88.0.2:30080/"),
    ];
    return async () => {
      writeFileSync(flag, "");
      const lines = (await Promise.all(asked)).flatMap((text) => text.trim().split("\n"));
      assert.ok(lines.length > asked.length);
      return lines.filter((line) => !/^web-[12]$/.test(line));
    };
  };
  const kill = (pids: readonly number[]): void => pids.forEach((pid) => process.kill(pid, 9));
  const killWhole = (): void => {
    const { supervisors, roles } = findClusterProcesses(one.path);
    const runtimes = ["one-1", "one-2"].map((node) =>
      readLivePid(one.pidFile(`containerd-${node}`))!,
    );
    kill([...supervisors, ...roles, ...runtimes]);
  };

  before(async () => {
    machine = await startMachine();
    untouched = look();
  });

  after(async () => {
    for (const name of ["one", "two"]) await skiff("delete", "--name", name);
    machine.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  });

  it("start twice at once: one waits for the other and says so, both succeed", async () => {
    const begin = (): Promise<Outcome> =>
      skiff("start", "--name", "one", "--nodes", "2", "--output", "json");
    const outcomes = await Promise.all([begin(), begin()]);
    for (const { status, out, err } of outcomes) {
      assert.equal(status, 0, err);
      const times = JSON.parse(out.trim().split("\n").at(-1)!) as Record<string, number>;
      assert.deepEqual(Object.keys(times), ["apiReadyMs", "clusterReadyMs"]);
    }
    assert.ok(
      outcomes.some(({ err }) => /waiting for skiff start \(pid \d+\)/.test(err)),
      outcomes.map(({ err }) => err).join(),
    );
    const nodes = await kubectl("get", "nodes", "--no-headers");
    assert.match(nodes, /one-1 +Ready[^]*one-2 +Ready/);
  });

  it("start of what runs says within a second that it is up", async () => {
    const begun = clock.monotonic();
    assert.match(await done(skiff("start", "--name", "one")), /cluster one is up already/);
    assert.ok(clock.monotonic() - begun < 1_000);
  });

  it("every process shows its role and its state folder, works in / and leads a session", () => {
    const { supervisors, roles } = findClusterProcesses(one.path);
    assert.equal(roles.length, 3);
    const supervisor = readLivePid(one.pidFile("supervise"))!;
    const runtimes = ["one-1", "one-2"].map((node) =>
      readLivePid(one.pidFile(`containerd-${node}`))!,
    );
    for (const pid of [supervisor, ...roles, ...runtimes]) {
      const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
      assert.ok(
        words.some((word) => word.startsWith(one.path)),
        words.join(" "),
      );
      assert.equal(readlinkSync(`/proc/${pid}/cwd`), "/");
      assert.equal(sessionOf(pid), pid, words.join(" "));
    }
    for (const pid of supervisors) assert.equal(sessionOf(pid), supervisor);
  });

  it("nobody but root can read the state", () => {
    assert.equal(statSync(one.path).mode & 0o777, 0o700);
    const open = readdirSync(one.path, { recursive: true, encoding: "utf8" }).filter(
      (name) =>
        /^(cluster\.json|admin\.kubeconfig|(pki|keys|log|run)\/.*|nodes\/[^/]+\/[^/]+\.(key|kubeconfig))$/.test(
          name,
        ) && (statSync(join(one.path, name)).mode & 0o077) !== 0,
    );
    assert.deepEqual(open, []);
  });

  it("pods on two nodes reach each other, a Service and its node port", async () => {
    await done(skiff("image", "load", testImageArchive("busybox"), "--name", "one"));
    await done(run(["kubectl", "apply", "-f", "-"], JSON.stringify(WEB)));
    await kubectl("wait", "--for=condition=Ready", "pod", "--all", "--timeout=30s");
    const addresses = await Promise.all(
      ["web-1", "web-2"].map((pod) => kubectl("get", "pod", pod, "-o", "jsonpath={.status.podIP}")),
    );
    assert.equal(await fetched("web-1", `http://${addresses[1]}/`), "web-2\n");
    assert.equal(await fetched("web-2", `http://${addresses[0]}/`), "web-1\n");
    const clusterIp = await kubectl("get", "service", "web", "-o", "jsonpath={.spec.clusterIP}");
    for (const pod of ["web-1", "web-2"]) {
      assert.match(await fetched(pod, `http://${clusterIp}/`), /^web-[12]\n$/);
      const name = "web.default.svc.cluster.local";
      assert.match(await kubectl("exec", pod, "--", "nslookup", name), new RegExp(clusterIp));
    }
    for (const node of ["one-1", "one-2"]) {
      const ip = (await done(skiff("ip", "--name", "one", node))).trim();
      assert.match(await done(run(["curl", "-sm5", `http://${ip}:30080/`])), /^web-[12]\n$/);
    }
    const url = (await done(skiff("service", "web", "--url", "--name", "one"))).trim();
    assert.match(await done(run(["curl", "-sm5", url])), /^web-[12]\n$/);
  });

  for (const roles of [
    ["server"],
    ["agent-one-1"],
    ["containerd-one-1"],
    ["agent-one-1", "agent-one-2", "containerd-one-1", "containerd-one-2"],
  ])
    it(`kill -9 of ${roles.join(", ")}: started again; containers run on, the Service answers throughout`, async () => {
      const containers = await allContainers();
      assert.equal(webServers().length, 2);
      const stopAsking = await askThroughout();
      kill(roles.map((role) => readLivePid(one.pidFile(role))!));
      for (const role of roles)
        await until(`${role} runs again`, () => readLivePid(one.pidFile(role)) !== undefined);
      await mended();
      assert.deepEqual(await stopAsking(), []);
      assert.deepEqual(await allContainers(), containers);
    });

  for (const [what, strike] of [
    ["the supervisor", () => kill([readLivePid(one.pidFile("supervise"))!])],
    [
      "the server and the loop that would start it again",
      () => {
        const server = readLivePid(one.pidFile("server"))!;
        kill([parentOf(server), server]);
      },
    ],
    ["server, agents, containerd and supervisor", killWhole],
  ] as const)
    it(`kill -9 of ${what}: start mends it; containers run on, the Service answers throughout`, async () => {
      const containers = await allContainers();
      const stopAsking = await askThroughout();
      strike();
      assert.notEqual((await statusOf("one")).status, "running");
      await done(skiff("start", "--name", "one"));
      await mended();
      assert.deepEqual(await stopAsking(), []);
      assert.deepEqual(await allContainers(), containers);
      assert.equal(findClusterProcesses(one.path).roles.length, 3);
    });

  it("stop and start keep all objects, and pods come back", async () => {
    await kubectl("create", "configmap", "kept", "--from-literal=a=b");
    const running = alive(one);
    await done(skiff("stop", "--name", "one"));
    assert.deepEqual(stillAlive(running), []);
    assert.match((await skiff("list")).out, /one +stopped/);
    await done(skiff("start", "--name", "one"));
    assert.equal(await kubectl("get", "configmap", "kept", "-o", "jsonpath={.data.a}"), "b");
    await until("pods serve again", async () => {
      const { out } = await run(["curl", "-sm1", "http://10.88.0.2:30080/"]);
      return /^web-[12]\n$/.test(out);
    });
    await mended();
  });

  it("the smaller commands work", async () => {
    assert.match(await done(skiff("logs", "server", "--name", "one")), /ready/);
    assert.equal(
      await done(
        skiff("ssh", "--name", "one", "one-2", "--", "cat", "/proc/sys/net/ipv4/ip_forward"),
      ),
      "1\n",
    );
    assert.match(await done(skiff("kubeconfig", "--name", "one")), /current-context: one/);
    const text = await done(skiff("token", "create", "--name", "one", "--ttl", "1h", "-o", "json"));
    const { token } = JSON.parse(text) as { token: string };
    assert.match(token, /^[a-z0-9]{6}\.[a-z0-9]{16}$/);
    const who = ["kubectl", "--kubeconfig=/dev/null", "--server=https://127.0.0.1:6443"];
    const answer = await run([
      ...who,
      "--insecure-skip-tls-verify",
      `--token=${token}`,
      "get",
      "pods",
    ]);
    // every kubectl says so, which is not true of `auth whoami`
    assert.match(answer.err, new RegExp(`User "system:bootstrap:${token.slice(0, 6)}" cannot`));
  });

  it("CL-45 a second cluster has its own port and ranges, and its end leaves the first as it was", async () => {
    const other = join(folder, "other-kubeconfig");
    copyFileSync(kubeconfig, other);
    await done(skiff("start", "--name", "two", "--kubeconfig", other));
    const [first, second] = [one, two].map((state) => readClusterFile(state.clusterFile)!);
    assert.notEqual(first!.apiPort, second!.apiPort);
    const ranges = [first!, second!].flatMap((file) => Object.values(file.ranges) as string[]);
    assert.equal(new Set(ranges).size, 6);
    assert.match(await kubectl("--kubeconfig", other, "get", "nodes"), /two-1 +Ready/);
    await kubectl("--kubeconfig", other, "config", "use-context", "one");
    const contexts = await kubectl("--kubeconfig", other, "config", "get-contexts");
    assert.match(contexts, /^\* +one /m);
    assert.match(contexts, /^ +two /m);
    const nodes = await kubectl("--kubeconfig", other, "get", "nodes", "-o", "name");
    assert.equal(nodes, "node/one-1\nnode/one-2\n");
    await done(skiff("delete", "--name", "two"));
    assert.doesNotMatch(readFileSync(other, "utf8"), /two/);
    assert.equal(existsSync(two.path), false);
    await mended();
    const { out } = await run(["curl", "-sm5", "http://10.88.0.2:30080/"]);
    assert.match(out, /^web-[12]\n$/);
  });

  it("clusters of two homes that start at once have ports and ranges of their own", async () => {
    const homes = ["left", "right"].map((name) => join(folder, name));
    const inHome = (path: string, ...words: readonly string[]): Promise<string> => {
      const env = [`SKIFF_HOME=${path}`, `KUBECONFIG=${path}.kubeconfig`];
      return done(run(["env", ...env, process.execPath, ENTRY, ...words, "--name", "three"]));
    };
    try {
      await Promise.all(homes.map((path) => inHome(path, "start")));
      const files = homes.map((path) =>
        readClusterFile(new StateFolder(path, "three").clusterFile)!,
      );
      for (const of of [
        (file: ClusterFile) => file.apiPort,
        (file: ClusterFile) => file.ranges.nodeCidr,
        (file: ClusterFile) => file.ranges.podCidr,
      ])
        assert.notEqual(of(files[0]!), of(files[1]!));
    } finally {
      for (const path of homes) await inHome(path, "delete");
    }
  });

  describe("what cannot be done is said", () => {
    const refused = async (
      outcome: Promise<Outcome>,
      status: number,
      text: RegExp,
    ): Promise<void> => {
      const { status: found, out, err } = await outcome;
      assert.match(err, text, out);
      assert.equal(found, status);
    };

    it("a port that is taken, with its holder", async () => {
      const holder = spawn(
        inMachine()[0]!,
        [...inMachine(process.execPath, "-e", LISTEN_SCRIPT).slice(1)],
        { stdio: ["ignore", "pipe", "ignore"] },
      );
      await new Promise((resolve) => holder.stdout.once("data", resolve));
      try {
        const asked = skiff("start", "--name", "two", "--api-port", "7001");
        await refused(asked, 1, /port 7001 is taken by node \(pid \d+\): choose another/);
      } finally {
        holder.kill();
      }
      assert.deepEqual(readdirSync(home), ["one"]);
    });

    it("nothing, where nobody reads it: as a program does that SIGPIPE ends", async () => {
      const script = 'mkfifo "$1"; : <"$1" & exec 3>"$1"; wait; shift; "$@" >&3';
      const fifo = join(folder, "nobody");
      const words = ["sh", "-c", script, "sh", fifo, process.execPath, ENTRY, "--help"];
      const { status, err } = await run(words);
      assert.equal(err, "");
      assert.equal(status, 141);
    });

    it("a user who is not root", () =>
      refused(
        run(["setpriv", "--reuid=65534", "--clear-groups", process.execPath, ENTRY, "start"]),
        1,
        /'skiff start' needs root .*sudo/,
      ));

    it("all missing programs at once", () => {
      const hidden = ["nft", "catatonit"].map((name) =>
        execFileSync("sh", ["-c", `command -v ${name}`])
          .toString()
          .trim(),
      );
      const script = 'for f in "$1" "$2"; do mount --bind /dev/null "$f"; done; shift 2; exec "$@"';
      return refused(
        run([
          ...["unshare", "--mount", "sh", "-ec", script, "sh", ...hidden],
          ...[process.execPath, ENTRY, "start"],
        ]),
        1,
        /lacks:\n +nft \(Debian package nftables\)\n +catatonit \(Debian package catatonit\)\n/,
      );
    });

    for (const [words, status, text] of [
      [
        ["start", "--name", "two", "--pod-cidr", "10.1.2.3/16"],
        1,
        /--pod-cidr 10.1.2.3\/16: expected/,
      ],
      [["start", "--name", "two", "--pod-cidr", "10.88.0.0/16"], 1, /overlaps with 10.88.0.0\/24/],
      [["start", "--name", "one", "--api-port", "7002"], 1, /exists with --api-port 6443/],
      [["start", "--nodes", "none"], 2, /--nodes 'none': expected a whole number/],
      [["start", "--name", "Two!"], 2, /'Two!' cannot name a cluster/],
      [["begin"], 2, /unknown command 'begin'/],
      [["stop", "--name", "two"], 1, /there is no cluster 'two'/],
      [["token", "create", "--ttl", "soon"], 2, /--ttl 'soon': expected a duration/],
    ] as const)
      it(words.join(" "), () => refused(skiff(...words), status, text));
  });

  it("start after a reboot, which leaves state and nothing else, brings pods back; Jobs judge it as an exit with 255", async () => {
    await done(run(["kubectl", "apply", "-f", "-"], JSON.stringify(JOBS)));
    await kubectl("wait", "--for=condition=Ready", "pod", "-l", "job-name", "--timeout=30s");
    const running = alive(one);
    kill(running.map((text) => Number(text.split(":")[0])));
    await until("all have ended", () => stillAlive(running).length === 0);
    for (const node of ["one-1", "one-2"])
      for (const pin of ["networkPin", "mountPin", "pins"] as const)
        await done(run(["umount", "--lazy", one.node(node)[pin]]));
    const bridge = `skiff-${one.id.slice(0, 8)}`;
    const rest = 'rm -r /run/skiff; ip link delete "$1"; sysctl -qw net.ipv4.ip_forward=0';
    await done(run(["sh", "-ec", rest, "sh", bridge]));
    await done(skiff("start", "--name", "one"));
    await mended();
    assert.equal(webServers().length, 2);
    await kubectl("wait", "--for=condition=Failed", "job/failjob", "--timeout=30s");
    const field = (path: string, ...of: readonly string[]): Promise<string> =>
      kubectl("get", ...of, "-o", `jsonpath=${path}`);
    assert.match(
      await field("{.status.conditions[*].message}", "job/failjob"),
      /failed with exit code 255 matching FailJob rule at index 0/,
    );
    const phases = (): Promise<string> =>
      field(
        "{.items[*].status.phase}",
        "pod",
        "-l",
        "job-name=ignore",
        "--sort-by=.metadata.creationTimestamp",
      );
    await until("the Pod is made again", async () => (await phases()) === "Failed Running");
    assert.equal(await field("{.status.failed}{.status.conditions}", "job/ignore"), "");
  });

  it("delete leaves the machine as it was, also when all was killed and the file is damaged", async () => {
    const running = alive(one);
    kill(running.slice(0, running.length / 2).map((text) => Number(text.split(":")[0])));
    writeFileSync(one.clusterFile, "{");
    await refusedDamage();
    assert.match(await done(skiff("delete", "--name", "one")), /cluster one is gone/);
    assert.deepEqual(stillAlive(running), []);
    assert.deepEqual(look(), untouched);
    assert.doesNotMatch(readFileSync(kubeconfig, "utf8"), /one/);
    assert.match(await done(skiff("delete", "--name", "one")), /there is no cluster 'one'/);
  });

  async function refusedDamage(): Promise<void> {
    const { status, err } = await skiff("start", "--name", "one");
    assert.equal(status, 1);
    assert.match(err, /cluster\.json is damaged: .*'skiff delete'/);
  }
});

interface ClusterStatus {
  readonly status: "running" | "degraded" | "stopped";
}

const LISTEN_SCRIPT = `require("net").createServer().listen(7001, "127.0.0.1", () => console.log("up"))`;

/** A web server on each node that says its name, and a Service of both. */
const WEB = {
  apiVersion: "v1",
  kind: "List",
  items: [
    ...[1, 2].map((i) => ({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: `web-${i}`, labels: { app: "web" } },
      spec: {
        nodeName: `one-${i}`,
        terminationGracePeriodSeconds: 1,
        containers: [
          {
            name: "web",
            image: "busybox:latest",
            imagePullPolicy: "Never",
            command: ["sh", "-c", "hostname >/tmp/index.html; exec httpd -f -h /tmp"],
            readinessProbe: { httpGet: { path: "/", port: 80 }, periodSeconds: 1 },
          },
        ],
      },
    })),
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "web" },
      spec: { type: "NodePort", selector: { app: "web" }, ports: [{ port: 80, nodePort: 30080 }] },
    },
  ],
};

/** Jobs that give up with their first Pod, unless their policy knows better of the exit code. */
const JOBS = {
  apiVersion: "v1",
  kind: "List",
  items: ["Ignore", "FailJob"].map((action) => ({
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name: action.toLowerCase() },
    spec: {
      backoffLimit: 0,
      podFailurePolicy: { rules: [{ action, onExitCodes: { operator: "In", values: [255] } }] },
      template: {
        spec: {
          restartPolicy: "Never",
          terminationGracePeriodSeconds: 1,
          containers: [
            {
              name: "main",
              image: "busybox:latest",
              imagePullPolicy: "Never",
              command: ["sleep", "3600"],
            },
          ],
        },
      },
    },
  })),
};

/** A process that holds a network namespace with loopback alone, and a mount namespace with its own /run and /var. */
async function startMachine(): Promise<ChildProcess> {
  const script = `
    for folder in /run /var/lib /var/log; do mount -t tmpfs -o mode=755 tmpfs "$folder"; done
    ip link set lo up
    sysctl -qw net.ipv4.ip_forward=0
    echo up
    exec sleep 3600`;
  const child = spawn(
    "unshare",
    ["--net", "--mount", "--propagation=private", "sh", "-ec", script],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  await new Promise((resolve, reject) => {
    child.stdout!.once("data", resolve);
    child.once("exit", () => reject(new Error("cannot make a machine: are you root?")));
  });
  return child;
}

/** @spec proc(5): field 4 of /proc/PID/stat. */
function parentOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
}

/** @spec proc(5): field 6 of /proc/PID/stat. */
function sessionOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[3]);
}
