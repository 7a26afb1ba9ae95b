import assert from "node:assert/strict";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, it } from "node:test";
import { describeKubelet } from "../support/kubelet-suite.ts";
import { type KubeletWorld } from "../support/kubelet-world.ts";
import { TEST_IMAGE, waitFor, type PrivateContainerd } from "../support/private-containerd.ts";

/**
 * Runs in a container, with the machine's own Node: answers HTTP on 8080, gRPC health on 5000 and TCP on 7000, well as
 * long as a file of that name exists.
 */
const TARGET = `
const { existsSync } = require("node:fs");
const isUp = (name) => existsSync(process.argv[2] + "/" + name);
require("node:http").createServer((request, response) => {
  const { "x-probe": mark, "user-agent": agent, host } = request.headers;
  const isAsked = mark === "yes" && agent.startsWith("kube-probe/1.36") && host === "shop.example";
  response.writeHead(isAsked && isUp("http") ? 200 : 503).end("body");
}).listen(8080);
require("node:http2").createServer().on("stream", (stream) => {
  const chunks = [];
  stream.on("data", (chunk) => chunks.push(chunk));
  stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
  stream.on("end", () => {
    const service = Buffer.concat(chunks).subarray(7).toString();
    const status = service === "shop" && isUp("grpc") ? 1 : 2;
    stream.respond({ "content-type": "application/grpc" }, { waitForTrailers: true });
    stream.end(Buffer.from([0, 0, 0, 0, 2, 8, status]));
  });
}).listen(5000);
let tcp;
setInterval(() => {
  if (isUp("tcp")) tcp ??= require("node:net").createServer((socket) => socket.end()).listen(7000);
  else tcp = tcp && void tcp.close();
}, 20);
`;

const PROBES = {
  http: {
    httpGet: {
      port: 8080,
      path: "/health?deep=1",
      httpHeaders: [
        { name: "X-Probe", value: "yes" },
        { name: "Host", value: "shop.example" },
      ],
    },
  },
  tcp: { tcpSocket: { port: 7000 } },
  grpc: { grpc: { port: 5000, service: "shop" } },
};
type Kind = keyof typeof PROBES;
const KINDS = Object.keys(PROBES) as Kind[];

describeKubelet("a kubelet probes over the network of Pods", import.meta.url, suite);

function suite(world: KubeletWorld, containerd: PrivateContainerd): void {
  const fileOf = (kind: Kind): string => join(containerd.folder, "up", kind);
  const up = (kind: Kind): void => writeFileSync(fileOf(kind), "");
  const sleeping = (kind: Kind, probes: object) => ({
    name: kind,
    image: TEST_IMAGE,
    command: ["sleep", "1000"],
    ...probes,
  });
  before(async () => {
    mkdirSync(join(containerd.folder, "up"));
    writeFileSync(join(containerd.folder, "target.cjs"), TARGET);
  });
  /** A Pod of a server and of one container for each kind of probe, which asks that server. */
  const run = (name: string, of: (kind: Kind) => object): Promise<unknown> => {
    const program = join(containerd.folder, "target.cjs");
    const server = {
      name: "server",
      image: TEST_IMAGE,
      command: ["busybox", "chroot", "/host", process.execPath, program, join(program, "../up")],
      volumeMounts: [{ name: "host", mountPath: "/host" }],
    };
    return world.run(
      name,
      {},
      {
        terminationGracePeriodSeconds: 0,
        containers: [server, ...KINDS.map((kind) => sleeping(kind, of(kind)))],
        volumes: [{ name: "host", hostPath: { path: "/" } }],
      },
    );
  };
  const reads = (name: string, what: "ready" | "started") => async (): Promise<string> => {
    const { status } = await world.get(name);
    return KINDS.filter(
      (kind) => status?.containerStatuses?.find((one) => one.name === kind)?.[what],
    ).join();
  };

  it("readiness follows what HTTP, TCP and gRPC answer, and events say what they answered", async () => {
    await run("ready", (kind) => ({ readinessProbe: { ...PROBES[kind], periodSeconds: 1 } }));
    const ready = reads("ready", "ready");
    const ip = (await world.until("ready", ({ status }) => Boolean(status?.podIP))).status?.podIP;
    const expected = [
      "Unhealthy Readiness probe failed: HTTP probe failed with statuscode: 503",
      `Unhealthy Readiness probe failed: dial tcp ${ip}:7000: connect: connection refused`,
      'Unhealthy Readiness probe failed: service unhealthy (responded with "NOT_SERVING")',
    ];
    await waitFor(async () => {
      const events = await world.events("ready");
      return expected.every((event) => events.includes(event));
    });
    assert.equal(await ready(), "");
    for (const kind of KINDS) {
      up(kind);
      await waitFor(async () => (await ready()) === kind, undefined, `${kind} ready`);
      rmSync(fileOf(kind));
      await waitFor(async () => (await ready()) === "", undefined, `${kind} not ready`);
    }
  });

  it("startup holds readiness back, liveness restarts, over each of them", async () => {
    await run("alive", (kind) => ({
      startupProbe: { ...PROBES[kind], periodSeconds: 1, failureThreshold: 60 },
      livenessProbe: { ...PROBES[kind], periodSeconds: 1, failureThreshold: 1 },
    }));
    const restarted = async (): Promise<string> => {
      const { status } = await world.get("alive");
      return KINDS.filter(
        (kind) => status?.containerStatuses?.find((one) => one.name === kind)?.restartCount === 1,
      ).join();
    };
    const started = reads("alive", "started");
    await world.until("alive", ({ status }) => status?.phase === "Running");
    assert.equal(await started(), "");
    for (const kind of KINDS) up(kind);
    await waitFor(async () => (await started()) === KINDS.join(), undefined, "all started");
    assert.equal(await restarted(), "");
    for (const kind of KINDS) rmSync(fileOf(kind));
    await waitFor(async () => (await restarted()) === KINDS.join(), undefined, "all restarted");
  });
}
