import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { after, before, describe, it } from "node:test";
import type { V1EndpointSlice, V1Pod, V1Service } from "../../src/gen/types.ts";
import { planRules } from "../../src/proxy/plan-services.ts";
import { emptyPlan, type RulePlan } from "../../src/proxy/rule-plan.ts";
import { changeText, tableText } from "../../src/proxy/rule-text.ts";

const NAMESPACE = `skiff-test-${process.pid}`;
const settings = { clusterPodCidr: "10.244.0.0/16", nodePodCidr: "10.244.0.0/24" };

function inNamespace(command: readonly string[], input = ""): string {
  return execFileSync("ip", ["netns", "exec", NAMESPACE, ...command], { input, encoding: "utf8" });
}

function service(name: string, ip: string, affinity: "None" | "ClientIP" = "None"): V1Service {
  return {
    metadata: { namespace: "default", name },
    spec: { clusterIP: ip, sessionAffinity: affinity, ports: [{ port: 80, nodePort: 30080 }] },
  };
}

function slice(name: string, addresses: readonly string[]): V1EndpointSlice {
  return {
    metadata: { namespace: "default", labels: { "kubernetes.io/service-name": name } },
    addressType: "IPv4",
    ports: [{ name: "", port: 8080, protocol: "TCP" }],
    endpoints: addresses.map((address) => ({ addresses: [address] })),
  };
}

function plan(endpoints: readonly string[], affinity: "None" | "ClientIP" = "None"): RulePlan {
  const services = [service("web", "10.96.0.7", affinity)];
  return planRules({
    nodeName: "a",
    zone: "",
    services,
    slices: [slice("web", endpoints)],
    pods: [],
    ownAddresses: new Set(),
  });
}

/** Which endpoints answered `count` connections, or the error's name. */
function ask(target: string, count: number): Record<string, number> {
  const script = `
import socket, collections
seen = collections.Counter()
for _ in range(${count}):
    try:
        with socket.create_connection(("${target.split(":")[0]}", ${target.split(":")[1]}), timeout=2) as c: seen[c.recv(64).decode()] += 1
    except Exception as e: seen[type(e).__name__] += 1
import json; print(json.dumps(seen))`;
  return JSON.parse(inNamespace(["python3", "-c", script])) as Record<string, number>;
}

describe("service rules in a real kernel", () => {
  before(() => {
    execFileSync("ip", ["netns", "add", NAMESPACE]);
    const addresses = ["10.244.0.5", "10.244.0.6", "10.244.0.7", "10.88.0.2"];
    inNamespace(
      ["ip", "-batch", "-"],
      [
        "link set lo up",
        ...addresses.map((a) => `addr add ${a}/32 dev lo`),
        "route add 10.96.0.0/16 dev lo",
        "",
      ].join("\n"),
    );
    const server = `
import socket, os, threading
def serve(ip):
    s = socket.socket(); s.bind((ip, 8080)); s.listen(64)
    while True:
        c, _ = s.accept(); c.send(ip.encode()); c.close()
if os.fork() == 0:
    os.setsid()
    for ip in ("10.244.0.5", "10.244.0.6", "10.244.0.7"): threading.Thread(target=serve, args=(ip,)).start()
`;
    execFileSync("ip", ["netns", "exec", NAMESPACE, "python3", "-c", server], { stdio: "ignore" });
  });

  after(() => {
    for (const pid of execFileSync("ip", ["netns", "pids", NAMESPACE], { encoding: "utf8" }).split(
      "\n",
    ))
      if (pid) process.kill(Number(pid), "SIGKILL");
    execFileSync("ip", ["netns", "delete", NAMESPACE]);
  });

  it("spreads connections over the endpoints, follows changes, and refuses when there are none", () => {
    const two = plan(["10.244.0.5", "10.244.0.6"]);
    inNamespace(["nft", "-f", "-"], tableText(two, settings));
    const spread = ask("10.96.0.7:80", 60);
    assert.deepEqual(Object.keys(spread).sort(), ["10.244.0.5", "10.244.0.6"]);
    assert.ok(Math.min(...Object.values(spread)) > 10, JSON.stringify(spread));

    const three = plan(["10.244.0.5", "10.244.0.6", "10.244.0.7"]);
    inNamespace(["nft", "-f", "-"], changeText(two, three));
    assert.equal(Object.keys(ask("10.96.0.7:80", 60)).length, 3);
    assert.equal(Object.keys(ask("10.88.0.2:30080", 60)).length, 3, "the node port, too");

    const none = plan([]);
    inNamespace(["nft", "-f", "-"], changeText(three, none));
    assert.deepEqual(ask("10.96.0.7:80", 2), { ConnectionRefusedError: 2 });
    assert.deepEqual(ask("10.88.0.2:30080", 2), { ConnectionRefusedError: 2 });

    inNamespace(["nft", "-f", "-"], changeText(none, two));
    inNamespace(["nft", "-f", "-"], changeText(two, emptyPlan()));
  });

  it("keeps a client with its endpoint, and moves it when that is gone", () => {
    const affine = plan(["10.244.0.5", "10.244.0.6"], "ClientIP");
    inNamespace(["nft", "-f", "-"], tableText(affine, settings));
    const first = Object.keys(ask("10.96.0.7:80", 20));
    assert.equal(first.length, 1);
    const left = ["10.244.0.5", "10.244.0.6"].filter((address) => address !== first[0]);
    const after = plan(left, "ClientIP");
    inNamespace(["nft", "-f", "-"], changeText(affine, after));
    assert.deepEqual(ask("10.96.0.7:80", 5), { [left[0]!]: 5 });
    inNamespace(["nft", "-f", "-"], changeText(after, plan(left)));
    assert.deepEqual(ask("10.96.0.7:80", 5), { [left[0]!]: 5 });
  });

  it("host ports answer on loopback, and loopback answers nobody who comes over a link", () => {
    const ports = [{ containerPort: 8080, hostPort: 9100, protocol: "TCP" }];
    const pod: V1Pod = {
      metadata: { namespace: "default", name: "p" },
      spec: { nodeName: "a", containers: [{ name: "c", ports }] },
      status: { phase: "Running", podIP: "10.244.0.5" },
    };
    const nothing = { services: [], slices: [], ownAddresses: new Set<string>() };
    const held = planRules({ nodeName: "a", zone: "", ...nothing, pods: [pod] });
    inNamespace(["nft", "-f", "-"], tableText(held, settings));
    assert.deepEqual(ask("127.0.0.1:9100", 1), { "10.244.0.5": 1 });

    const other = `${NAMESPACE}-link`;
    const ip = (...words: readonly string[]): string =>
      execFileSync("ip", words, { encoding: "utf8" });
    // A namespace whose own loopback is down sends packets for loopback addresses wherever it likes.
    ip("netns", "add", other);
    try {
      ip(
        "link",
        "add",
        "v0",
        "netns",
        NAMESPACE,
        "type",
        "veth",
        "peer",
        "name",
        "v0",
        "netns",
        other,
      );
      ip("-n", NAMESPACE, "addr", "add", "10.99.0.1/24", "dev", "v0");
      ip("-n", other, "addr", "add", "10.99.0.2/24", "dev", "v0");
      for (const namespace of [NAMESPACE, other]) {
        ip("-n", namespace, "link", "set", "v0", "up");
        ip("netns", "exec", namespace, "sysctl", "-qw", "net.ipv4.conf.all.route_localnet=1");
      }
      ip("-n", other, "route", "add", "127.0.0.1/32", "via", "10.99.0.1");
      const knock = (at: string): string =>
        ip("netns", "exec", other, "python3", "-c", knockScript(at, 8080));
      assert.equal(knock("10.99.0.1"), "ConnectionRefusedError\n", "the link works");
      assert.equal(knock("127.0.0.1"), "TimeoutError\n");
    } finally {
      ip("netns", "delete", other);
    }
  });
});

/** One connection: the error's name, or "open". */
function knockScript(address: string, port: number): string {
  return `
import socket
try:
    socket.create_connection(("${address}", ${port}), timeout=1); print("open")
except Exception as e: print(type(e).__name__)`;
}
