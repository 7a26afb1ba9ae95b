import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { constants, gunzipSync } from "node:zlib";
import { inServer, requestOf, type Body, type TestServer } from "../../test/support/api-server.ts";
import { StalledTarget } from "../../test/support/stalled-target.ts";
import { isByteSource, type ByteSource } from "../wire/http/byte-source.ts";
import { GzipBlocks } from "../wire/http/gzip-blocks.ts";
import { pump } from "../wire/http/send.ts";

const MAPS = "/api/v1/namespaces/default/configmaps";

/** How a watch may be sent. */
const ENCODINGS = {
  plain: { encode: (body: ByteSource) => body, decode: (bytes: Buffer) => bytes },
  compressed: {
    encode: (body: ByteSource) => new GzipBlocks(body, "pieces"),
    decode: (bytes: Buffer) => gunzipSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH }),
  },
};
type Encoding = keyof typeof ENCODINGS;

async function bodyOf({ server }: TestServer, target: string): Promise<ByteSource> {
  const { body } = await server.pipeline.handle(requestOf("GET", target, undefined));
  assert.ok(isByteSource(body));
  return body;
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function turns(count: number): Promise<void> {
  for (let at = 0; at < count; at++) await turn();
}

/** What a watcher saw. */
function framesOf(target: StalledTarget, encoding: Encoding): readonly Body[] {
  const lines = ENCODINGS[encoding]
    .decode(Buffer.concat(target.pieces))
    .toString()
    .trimEnd()
    .split("\n");
  return lines.map((line): Body => JSON.parse(line));
}

describe("readers that do not read", () => {
  for (const encoding of ["plain", "compressed"] as const) {
    it(
      `500 stalled watchers (${encoding}) hold a read each, however much happens, and then hear 410`,
      inServer(async (server) => {
        const { json } = await server.request("GET", MAPS);
        const from = `${MAPS}?watch=1&resourceVersion=${json.metadata.resourceVersion}`;
        const targets = Array.from({ length: 500 }, () => new StalledTarget());
        for (const target of targets)
          pump(ENCODINGS[encoding].encode(await bodyOf(server, from)), target);
        const data = { k: "x".repeat(20_000) };
        await server.request("POST", MAPS, { metadata: { name: "m" }, data });
        for (let at = 0; at < 2000; at++) {
          const change = { metadata: { name: "m" }, data: { ...data, at: String(at) } };
          await server.request("PUT", `${MAPS}/m`, change);
          if (at % 100 === 0) await turns(20);
        }
        await turns(200);
        for (const { written } of targets) assert.ok(written < 100_000, `${written} bytes`);
        const [first] = targets;
        first!.flow();
        await turns(400);
        const frames = framesOf(first!, encoding);
        const last = frames.at(-1);
        assert.equal(last.type, "ERROR");
        assert.equal(`${last.object.code} ${last.object.reason}`, "410 Expired");
        assert.match(last.object.message, /^too old resource version: /);
        assert.ok(first!.writableEnded);
        assert.equal(server.server.parts.watches.size, 499);
        for (const target of targets) target.destroy();
      }),
    );

    it(
      `a watcher (${encoding}) that is only slow sees everything, in order`,
      inServer(async (server) => {
        const { json } = await server.request("GET", MAPS);
        const from = `${MAPS}?watch=1&resourceVersion=${json.metadata.resourceVersion}`;
        const target = new StalledTarget();
        pump(ENCODINGS[encoding].encode(await bodyOf(server, from)), target);
        await server.request("POST", MAPS, { metadata: { name: "m" } });
        for (let at = 0; at < 2000; at++)
          await server.request("PUT", `${MAPS}/m`, {
            metadata: { name: "m" },
            data: { at: `${at}` },
          });
        target.flow();
        await turns(400);
        const seen = framesOf(target, encoding).map(({ object }) => object.data?.at);
        assert.deepEqual(seen, [undefined, ...Array.from({ length: 2000 }, (_, at) => String(at))]);
        target.destroy();
      }),
    );
  }

  it(
    "a stalled list is let go after a minute, and never taken for whole",
    inServer(async (server) => {
      const data = { k: "x".repeat(100_000) };
      for (let i = 0; i < 20; i++)
        await server.request("POST", MAPS, { metadata: { name: `m${i}` }, data });
      const target = new StalledTarget();
      let failure: Error | undefined;
      target.on("error", (error) => (failure = error));
      pump(await bodyOf(server, MAPS), target);
      await turns(10);
      assert.ok(target.written < 400_000, `${target.written} bytes`);
      await server.clock.advance(61_000);
      target.flow();
      await turns(10);
      assert.match(failure!.message, /nobody has read this list/);
      assert.ok(target.destroyed && !target.writableFinished);
    }),
  );

  it(
    "a list that is read slowly comes whole",
    inServer(async (server) => {
      const data = { k: "x".repeat(100_000) };
      for (let i = 0; i < 20; i++)
        await server.request("POST", MAPS, { metadata: { name: `m${i}` }, data });
      const body = await bodyOf(server, MAPS);
      let text = "";
      for (let piece = body.read(); piece; piece = body.read()) {
        text += piece.toString();
        await server.clock.advance(50_000);
      }
      assert.equal((JSON.parse(text) as Body).items.length, 20);
    }),
  );
});
