import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Lease } from "../../src/api/coordination/lease.ts";
import { silentLogger } from "../../src/base/logger.ts";
import { SeededRandom } from "../../src/base/seeded-random.ts";
import { LeaseElection } from "../../src/reconciler/lease.ts";
import { inServer, type TestServer } from "../support/api-server.ts";

interface Candidate {
  readonly isLeading: () => boolean;
  stop(): Promise<void>;
}

function candidate({ client, clock }: TestServer, identity: string, seed: number): Candidate {
  const terms = { namespace: "kube-system", name: "controllers", identity };
  const election = new LeaseElection(client, clock, new SeededRandom(seed), silentLogger, terms);
  const abort = new AbortController();
  let isLeading = false;
  const lead = (signal: AbortSignal): Promise<void> => {
    isLeading = true;
    return new Promise((resolve) => {
      signal.addEventListener("abort", () => {
        isLeading = false;
        resolve();
      });
    });
  };
  const over = election.run(lead, abort.signal);
  return {
    isLeading: () => isLeading,
    stop() {
      abort.abort();
      return over;
    },
  };
}

describe("LeaseElection", () => {
  it(
    "one of two leads; when it steps down the other one takes over soon",
    inServer(async (server) => {
      const a = candidate(server, "a", 1);
      await server.clock.advance(100);
      const b = candidate(server, "b", 2);
      for (let round = 0; round < 30; round++) {
        await server.clock.advance(2000);
        assert.deepEqual([a.isLeading(), b.isLeading()], [true, false]);
      }
      const stopping = a.stop();
      await server.clock.advance(5000);
      await stopping;
      assert.deepEqual([a.isLeading(), b.isLeading()], [false, true]);
      const { spec } = await server.client.get(Lease, {
        namespace: "kube-system",
        name: "controllers",
      });
      assert.deepEqual([spec?.holderIdentity, spec?.leaseTransitions], ["b", 1]);
      await b.stop();
    }),
  );

  it(
    "a leader that vanished is waited for as long as its lease lasts",
    inServer(async (server) => {
      const { client, clock } = server;
      const spec = {
        holderIdentity: "gone",
        leaseDurationSeconds: 15,
        renewTime: "2026-01-01T00:00:00.000000Z",
      };
      await client.create(Lease, {
        metadata: { namespace: "kube-system", name: "controllers" },
        spec,
      });
      const b = candidate(server, "b", 2);
      await clock.advance(14_000);
      assert.equal(b.isLeading(), false);
      await clock.advance(5000);
      assert.equal(b.isLeading(), true);
      await b.stop();
    }),
  );
});
