import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ConfigMap } from "../../src/api/core/config-map.ts";
import { isStatusError } from "../../src/api/machinery/status-error.ts";
import { silentLogger } from "../../src/base/logger.ts";
import { SystemClock } from "../../src/base/system-clock.ts";
import { SystemRandom } from "../../src/base/system-random.ts";
import type { Client } from "../../src/client/client.ts";
import { HttpTransport } from "../../src/client/http-transport.ts";
import { ListWatchCache } from "../../src/client/list-watch-cache.ts";
import { fixedCredentials } from "../../src/wire/http-client/credentials.ts";
import { HttpClient } from "../../src/wire/http-client/http-client.ts";
import {
  createAuthority,
  issueCertificate,
  loadAuthority,
} from "../../src/wire/x509/certificate.ts";
import { startTestServer } from "../support/api-server.ts";

/** A body with a client over real TLS sockets to a real server. */
function overHttps(body: (client: Client) => Promise<void>): () => Promise<void> {
  return async () => {
    const random = new SystemRandom();
    const clock = new SystemClock();
    const facts = { now: clock.now(), random };
    const authority = loadAuthority(createAuthority("test", facts));
    const issued = issueCertificate(
      authority,
      {
        subject: { commonName: "server", organizations: [] },
        names: { dnsNames: [], ips: ["127.0.0.1"] },
        usages: ["serverAuth", "clientAuth"],
      },
      facts,
    );
    const { certificatePem: cert, keyPem: key } = issued;
    const ca = authority.certificatePem;
    const listen = [{ host: "127.0.0.1", port: 0 }];
    const server = await startTestServer({ clock, http: { listen, key, cert, clientCa: ca } });
    const { port } = server.server.addresses[0]!;
    const source = fixedCredentials({ ca, cert, key });
    const http = new HttpClient(`https://127.0.0.1:${port}`, source, clock, random, silentLogger);
    await body(new HttpTransport(http, "test")).finally(async () => {
      http.close();
      await server.close();
    });
  };
}

const map = (name: string, data: Record<string, string> = {}): ConfigMap => ({
  metadata: { name, namespace: "default" },
  data,
});

describe("client over HTTPS", () => {
  it(
    "creates, reads, changes and deletes, with the server's own refusals",
    overHttps(async (client) => {
      const key = { namespace: "default", name: "a" };
      const created = await client.create(ConfigMap, map("a", { x: "1" }));
      assert.equal(created.kind, "ConfigMap");
      await assert.rejects(client.create(ConfigMap, map("a")), (error) =>
        isStatusError(error, "AlreadyExists"),
      );
      const patch = { type: "merge", body: { data: { y: "ü" } } } as const;
      assert.deepEqual((await client.patch(ConfigMap, key, patch)).data, { x: "1", y: "ü" });
      await assert.rejects(client.update(ConfigMap, created), (error) =>
        isStatusError(error, "Conflict"),
      );
      const wrong = client.delete(ConfigMap, key, { ifUid: "other" });
      await assert.rejects(wrong, (error) => isStatusError(error, "Conflict"));
      const deleted = await client.delete(ConfigMap, key);
      assert.ok(deleted);
      await assert.rejects(client.get(ConfigMap, key), (error) => isStatusError(error, "NotFound"));
    }),
  );

  it(
    "lists by pages, and says of each item what it is",
    overHttps(async (client) => {
      for (const name of ["a", "b", "c"]) await client.create(ConfigMap, map(name));
      const first = await client.list(ConfigMap, { namespace: "default", limit: 2 });
      const second = await client.list(ConfigMap, {
        namespace: "default",
        limit: 2,
        continue: first.continue!,
      });
      assert.deepEqual(
        [...first.items, ...second.items].map(({ kind, metadata }) => `${kind} ${metadata?.name}`),
        ["ConfigMap a", "ConfigMap b", "ConfigMap c"],
      );
      assert.equal(second.continue, undefined);
    }),
  );

  it(
    "a cache follows, and reaches the revision of every write",
    overHttps(async (client) => {
      const cache = new ListWatchCache(
        client,
        new SystemClock(),
        new SystemRandom(),
        silentLogger,
        { freezes: true },
      );
      const revisions = new Set<(revision: number) => void>();
      cache.onRevision(ConfigMap, (revision) => revisions.forEach((check) => check(revision)));
      const reached = (wanted: number): Promise<void> =>
        new Promise((resolve) => {
          if (cache.revision(ConfigMap) >= wanted) return resolve();
          const check = (revision: number): void => {
            if (revision < wanted) return;
            revisions.delete(check);
            resolve();
          };
          revisions.add(check);
        });
      await client.create(ConfigMap, map("a"));
      await cache.sync(ConfigMap);
      const names = (): string =>
        cache
          .list(ConfigMap)
          .map(({ metadata }) => metadata?.name)
          .join();
      assert.equal(names(), "a");
      const b = await client.create(ConfigMap, map("b"));
      await reached(Number(b.metadata?.resourceVersion));
      assert.equal(names(), "a,b");
      const gone = await client.delete(ConfigMap, { namespace: "default", name: "a" });
      await reached(Number(gone.metadata?.resourceVersion));
      assert.equal(names(), "b");
      cache.close();
    }),
  );
});
