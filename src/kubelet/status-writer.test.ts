import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { startTestServer } from "../../test/support/api-server.ts";
import { pod } from "../../test/support/builders.ts";
import { Namespace } from "../api/core/namespace.ts";
import { Pod } from "../api/core/pod.ts";
import { conflict } from "../api/machinery/status-errors.ts";
import { silentLogger } from "../base/logger.ts";
import { VirtualClock } from "../base/virtual-clock.ts";
import type { Client } from "../client/client.ts";
import type { V1Pod, V1PodStatus } from "../gen/types.ts";
import { StatusWriter } from "./status-writer.ts";

const CREATING = { name: "app", image: "i", imageID: "", ready: false, restartCount: 0 };
const KEY = { namespace: "default", name: "p" };

/** `refusals`: how many patches are answered with a conflict first. */
async function world(refusals = 0) {
  const api = await startTestServer();
  const { clock, client } = api;
  const faulty = {
    get: client.get.bind(client),
    patch: async (...call: Parameters<Client["patch"]>) => {
      if (refusals-- > 0) throw conflict(Pod, "p", "try again");
      return client.patch(...call);
    },
  } as Client;
  await client.create(Namespace, { metadata: { name: "default" } }).catch(() => {});
  const pod = await client.create(Pod, {
    metadata: KEY,
    spec: { nodeName: "node", containers: [{ name: "app", image: "i" }] },
  });
  const writer = new StatusWriter(faulty, clock, silentLogger);
  const present = (): Promise<V1Pod> => client.get(Pod, KEY);
  return {
    client,
    present,
    set: (status: V1PodStatus, seen = pod) => writer.set(seen, status),
    written: () => writer.written(pod.metadata!.uid!),
    replace: async () => {
      await client.delete(Pod, KEY, { graceSeconds: 0 });
      await client.create(Pod, { metadata: KEY, spec: pod.spec! });
    },
    podIP: async () => (await present()).status?.podIP,
    pass: async (ms: number): Promise<void> => {
      await clock.advance(ms);
      await clock.advance(0);
    },
    close: () => (writer.close(), api.close()),
  };
}

describe("StatusWriter", () => {
  it("lets progress wait, and writes it by itself", async () => {
    const w = await world();
    w.set({ phase: "Pending", podIP: "10.0.0.1" });
    await w.pass(100);
    assert.equal(await w.podIP(), undefined);
    await w.pass(400);
    assert.equal(await w.podIP(), "10.0.0.1");
    await w.close();
  });

  it("lets further progress wait longer, for it may come with the start", async () => {
    const w = await world();
    const containerStatuses = [
      { ...CREATING, state: { waiting: { reason: "ContainerCreating" } } },
    ] as const;
    w.set({ phase: "Pending", containerStatuses });
    await w.pass(400);
    w.set({ phase: "Pending", containerStatuses, podIP: "10.0.0.1" });
    await w.pass(1900);
    assert.equal(await w.podIP(), undefined);
    await w.pass(100);
    assert.equal(await w.podIP(), "10.0.0.1");
    await w.close();
  });

  it("writes what somebody may act upon at once, progress with it", async () => {
    const w = await world();
    w.set({ phase: "Pending", podIP: "10.0.0.1" });
    w.set({ phase: "Running", podIP: "10.0.0.1" });
    await w.written();
    assert.equal(await w.podIP(), "10.0.0.1");
    await w.close();
  });

  it("puts right what somebody else has put into a status, not at once", async () => {
    const w = await world();
    const readyOf = ({ status }: V1Pod): string | undefined =>
      status?.conditions?.find(({ type }) => type === "Ready")?.status;
    const wanted: V1PodStatus = {
      phase: "Running",
      conditions: [{ type: "Ready", status: "True" }],
    };
    w.set(wanted);
    await w.written();
    const ours = await w.present();
    const conditions = [{ type: "Ready", status: "False" }];
    await w.client.updateStatus(Pod, { ...ours, status: { ...ours.status!, conditions } });
    w.set(wanted, ours);
    await w.pass(10_000);
    assert.equal(readyOf(await w.present()), "False", "it had not seen the change yet");
    w.set(wanted, await w.present());
    await w.pass(1000);
    assert.equal(readyOf(await w.present()), "False");
    await w.pass(1000);
    assert.equal(readyOf(await w.present()), "True");
    await w.close();
  });

  it("does not let a teardown wait for progress", async () => {
    const w = await world();
    w.set({ phase: "Pending", podIP: "10.0.0.1" });
    await w.written();
    assert.equal(await w.podIP(), "10.0.0.1");
    await w.close();
  });

  it("says it again at once when others were faster", async () => {
    const w = await world(1);
    w.set({ phase: "Running", podIP: "10.0.0.1" });
    await w.written();
    assert.equal(await w.podIP(), "10.0.0.1");
    await w.close();
  });

  it("goes on after many conflicts, but not in a hot loop", async () => {
    const w = await world(3);
    w.set({ phase: "Running", podIP: "10.0.0.1" });
    await w.pass(0);
    assert.equal(await w.podIP(), undefined);
    for (let seconds = 0; seconds < 4; seconds++) await w.pass(1000);
    assert.equal(await w.podIP(), "10.0.0.1");
    await w.close();
  });

  it("waits with many Pods for a server that is away without a warning from Node.js", async () => {
    const clock = new VirtualClock();
    const patch = (): Promise<object> => Promise.reject(new Error("nobody there"));
    const writer = new StatusWriter({ patch } as unknown as Client, clock, silentLogger);
    const warnings: string[] = [];
    const onWarning = ({ name }: Error): void => void warnings.push(name);
    process.on("warning", onWarning);
    for (let i = 0; i < 20; i++)
      writer.set(pod(`p${i}`, { metadata: { uid: `uid-${i}` } }), { phase: "Running" });
    await clock.advance(100);
    await new Promise((resolve) => setImmediate(resolve));
    process.off("warning", onWarning);
    writer.close();
    assert.deepEqual(warnings, []);
  });

  it("leaves a new Pod of the same name alone", async () => {
    const w = await world();
    await w.replace();
    w.set({ phase: "Running", podIP: "10.0.0.1" });
    await w.written();
    assert.equal(await w.podIP(), undefined);
    await w.close();
  });
});
