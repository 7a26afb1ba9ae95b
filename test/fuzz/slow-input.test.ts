import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { ApiRequest } from "../../src/apiserver/request.ts";
import type { ApiResponse } from "../../src/apiserver/api-response.ts";
import { isByteSource } from "../../src/wire/http/byte-source.ts";
import { requestOf } from "../support/api-server.ts";
import { startFuzzedPlane, type FuzzedPlane } from "./control-plane.ts";
import { HOSTILE_REQUESTS, type HostileRequest } from "./hostile-requests.ts";

/**
 * Processor time, in ms, that one turn of the loop may take. Undisturbed the worst take a quarter of it; whatever takes the square
 * of its input takes seconds.
 */
const TURN_MS_MAX = 1000;
const ADMIN = { commonName: "system:masters", organizations: ["system:masters"] };
const DEFAULT = "/api/v1/namespaces/default";
const TABLE = { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" };

interface Outcome {
  readonly status: number;
  readonly bytes: number;
  /** Of the longest turn. */
  readonly ms: number;
}

describe("no request within its bounds holds up the others", () => {
  let world: FuzzedPlane;
  before(async () => {
    world = await startFuzzedPlane();
    for (const [plural, object] of [
      ["serviceaccounts", { metadata: { name: "default" } }],
      ["configmaps", { metadata: { name: "kept", labels: { a: "b" } } }],
      ["pods", { metadata: { name: "kept" }, spec: { containers: [{ name: "a", image: "a" }] } }],
    ] as const)
      assert.equal(
        (await send("POST", `${DEFAULT}/${plural}`, JSON.stringify(object))).status,
        201,
      );
  });
  after(() => world.close());

  async function send(
    method: string,
    target: string,
    body: string | Buffer,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Outcome> {
    const request: ApiRequest = { ...requestOf(method, target, body, headers), certificate: ADMIN };
    let answer: ApiResponse | undefined;
    let ms = 0;
    let start = process.cpuUsage();
    const begun = world.plane.server.pipeline.handle(request);
    void Promise.resolve(begun).then((got) => (answer = got));
    for (let count = 0; !answer; count++) {
      await new Promise((resolve) => setImmediate(resolve));
      ms = Math.max(ms, process.cpuUsage(start).user / 1000);
      start = process.cpuUsage();
      // Admission may wait for an account that never comes.
      if (count > 100) await world.clock.advance(500);
    }
    return { status: answer.status, bytes: sizeOf(answer), ms };
  }

  function sizeOf({ body }: ApiResponse): number {
    if (!isByteSource(body)) return body.length;
    let bytes = 0;
    for (let piece = body.read(); piece; piece = body.read()) bytes += piece.length;
    body.close();
    return bytes;
  }

  const headersOf = ({ contentType }: HostileRequest): Record<string, string> =>
    contentType === undefined ? {} : { "content-type": contentType };

  for (const hostile of HOSTILE_REQUESTS)
    it(hostile.name, async () => {
      const { method, target } = hostile;
      const body = hostile.body();
      const { status, bytes, ms } = await send(method, target, body, headersOf(hostile));
      assert.ok(status < 500, `${status}`);
      assert.ok(ms < TURN_MS_MAX, `took ${Math.round(ms)} ms`);
      // An answer shows what was sent, with its managers perhaps, and not a hundred times.
      assert.ok(bytes < 2 * body.length + 1_000_000, `an answer of ${bytes} bytes`);
      if (method === "POST" && status === 201) await remove(target);
    });

  /** Shows what was made as a table, then deletes it, so that the next of its kind is made anew. */
  async function remove(target: string): Promise<void> {
    const path = `${target}/a`;
    const shown = await send("GET", path, "", TABLE);
    assert.ok(shown.ms < TURN_MS_MAX, `a table took ${Math.round(shown.ms)} ms`);
    if (shown.status === 200) await send("DELETE", `${path}?gracePeriodSeconds=0`, "");
  }
});
