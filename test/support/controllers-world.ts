import { catalog } from "../../src/api/catalog.ts";
import type { Kind } from "../../src/api/machinery/kind.ts";
import { InProcessCache } from "../../src/apiserver/in-process-cache.ts";
import { silentLogger } from "../../src/base/logger.ts";
import { MetricRegistry } from "../../src/base/metrics.ts";
import { SeededRandom } from "../../src/base/seeded-random.ts";
import type { VirtualClock } from "../../src/base/virtual-clock.ts";
import type { Client } from "../../src/client/client.ts";
import { EventRecorder } from "../../src/client/event-recorder.ts";
import { startControllers, type RunningControllers } from "../../src/controllers/all.ts";
import { parsePodRange } from "../../src/controllers/nodeipam/nodeipam.ts";
import { fixedKinds } from "../../src/reconciler/served-kinds.ts";
import { WorkQueueMetrics } from "../../src/reconciler/work-queue-metrics.ts";
import { startTestServer, type TestServer } from "./api-server.ts";

/** What the garbage collector and the namespace controller look after. */
const DELETABLE = catalog
  .filter(({ kind, verbs }) => kind.kind !== "Event" && (!verbs || verbs.includes("delete")))
  .map(({ kind }) => kind as Kind);

/** A server and all controllers in this process, on virtual time. */
export interface ControllersWorld {
  readonly client: Client;
  readonly server: TestServer;
  readonly clock: VirtualClock;
  /** What the controllers count. */
  readonly registry: MetricRegistry;
  /** Lets `ms` pass, and everything that follows from it happen. */
  pass(ms?: number): Promise<void>;
  /** The controllers end and begin anew: what they only remembered is forgotten. */
  restart(): Promise<void>;
}

/** A test of all controllers: `body` between their start and their end. `admission`: as of {@link startTestServer}. */
export function withControllers(
  body: (world: ControllersWorld) => Promise<void>,
  { admission }: Pick<NonNullable<Parameters<typeof startTestServer>[0]>, "admission"> = {},
): () => Promise<void> {
  return async () => {
    const server = await startTestServer(admission ? { admission } : {});
    const { client, clock } = server;
    const cache = new InProcessCache(server.server.parts);
    const events = new EventRecorder(client, clock, new SeededRandom(1), silentLogger);
    const registry = new MetricRegistry();
    const start = (): RunningControllers =>
      startControllers(
        {
          caCertificates: "CA",
          issueSecretToken: ({ secret }) => `token of ${secret}`,
          podRange: parsePodRange("10.244.0.0/16", 24),
          served: fixedKinds(DELETABLE),
        },
        {
          ...{ client, cache, clock, logger: silentLogger, events, registry },
          metrics: new WorkQueueMetrics(registry),
        },
      );
    let controllers = start();
    await controllers.ready;
    const restart = async (): Promise<void> => {
      await controllers.close();
      controllers = start();
      await controllers.ready;
    };
    const pass = async (ms = 2000): Promise<void> => {
      for (let left = ms; left > 0; left -= 250) await clock.advance(Math.min(250, left));
    };
    await pass();
    await body({ client, server, clock, registry, pass, restart })
      .finally(() => controllers.close())
      .finally(() => cache.close())
      .finally(() => events.close())
      .finally(() => server.close());
  };
}
