import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Node } from "../../api/core/node.ts";
import { silentLogger } from "../../base/logger.ts";
import { SeededRandom } from "../../base/seeded-random.ts";
import { startTestServer } from "../../../test/support/api-server.ts";
import { ScriptedCri } from "../../../test/support/scripted-cri.ts";
import { SimNodeHost } from "../../../test/sim/world/sim-node-host.ts";
import { EventRecorder } from "../events.ts";
import { NodeAgent } from "./node-agent.ts";

describe("NodeAgent", () => {
  it("tells a volume in use that a status which is being written leaves out", async () => {
    const { client, clock, close } = await startTestServer();
    let inUse: readonly string[] = ["kubernetes.io/csi/a^b"];
    let onRead = (): void => {};
    const host = new SimNodeHost("n", 1, 1024 ** 3);
    const agent = new NodeAgent(
      ...([client, new ScriptedCri(clock), clock, silentLogger] as const),
      new EventRecorder(client, clock, new SeededRandom(1), silentLogger, "n"),
      {
        ...{ name: "n", ips: ["10.0.0.1"], labels: {}, machineName: "m", taints: [] },
        ...{ kubeletPort: 10_250, version: "v1.36.0" },
      },
      await host.machine(),
      {
        learn: () => {},
        pressures: () => new Set(),
        volumesInUse: () => {
          const now = inUse;
          onRead();
          return now;
        },
        known: () => ({ node: undefined, revision: 0 }),
      },
    );
    const starting = agent.start();
    await clock.advance(5000);
    await starting;
    assert.ok(await agent.tellVolumesInUse(inUse));
    inUse = [];
    const telling = new Promise<boolean>((resolve) => {
      onRead = () => {
        onRead = () => {};
        inUse = ["kubernetes.io/csi/a^b"];
        resolve(agent.tellVolumesInUse(inUse));
      };
    });
    const checking = agent.check();
    assert.ok(await telling);
    await checking;
    const { status } = await client.get(Node, { name: "n" });
    assert.deepEqual(status?.volumesInUse, inUse);
    agent.close();
    await close();
  });
});
