import { catalog } from "../../src/api/catalog.ts";
import type { Resource } from "../../src/api/machinery/resource.ts";
import { loadSchemas } from "../../src/api/machinery/schema-set.ts";
import {
  startApiServer,
  type ApiServer,
  type ApiServerOptions,
} from "../../src/apiserver/server.ts";
import { inProcessClient } from "../../src/apiserver/in-process-client.ts";
import type { ApiRequest } from "../../src/apiserver/request.ts";
import { silentLogger } from "../../src/base/logger.ts";
import { SeededRandom } from "../../src/base/seeded-random.ts";
import { VirtualClock } from "../../src/base/virtual-clock.ts";
import type { Client } from "../../src/client/client.ts";
import type { Store } from "../../src/store/store.ts";
import type { ByteSource } from "../../src/wire/http/byte-source.ts";
import { SimDisk } from "../sim/faults/sim-disk.ts";
import { openSimStore } from "../sim/store/sim-backend.ts";

/** Who all requests of a test come from, unless it brings authenticators. */
export const TEST_USER = { name: "tester", groups: ["system:masters", "system:authenticated"] };

/** What a client saw of one answer. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
  /** The body, where it is JSON. */
  readonly json: Body;
}

/** Any JSON document: tests name the fields they look at. */
export type Body = any;

export interface TestServer {
  readonly server: ApiServer;
  readonly clock: VirtualClock;
  readonly store: Store;
  readonly client: Client;
  /** `request("POST", "/api/v1/…", body)`, through the whole pipeline, without sockets. */
  request(method: string, target: string, body?: unknown, headers?: Headers): Promise<Answer>;
  /** The frames of a watch that has begun; `next(n)` waits for n of them, or for its end. */
  watch(target: string, headers?: Headers): Promise<TestWatch>;
  close(): Promise<void>;
}

type Headers = Readonly<Record<string, string>>;

export interface TestWatch {
  next(count: number): Promise<readonly Body[]>;
  readonly isOver: boolean;
}

/** An API server in this process: real pipeline, simulated disk and time, everything allowed. */
export async function startTestServer(
  options: Partial<ApiServerOptions> & { readonly resources?: readonly Resource[] } = {},
): Promise<TestServer> {
  const clock = new VirtualClock();
  const random = new SeededRandom(1);
  const store = options.store ?? (await openSimStore(new SimDisk(random), "data"));
  const server = await startApiServer({
    store,
    clock,
    random,
    logger: silentLogger,
    schemas: loadSchemas(),
    resources: catalog,
    authenticators: () => [{ authenticate: () => TEST_USER }],
    authorizers: () => [{ authorize: () => ({ isAllowed: true, reason: "" }) }],
    admission: () => [],
    services: { serviceCidr: "10.96.0.0/24", nodePorts: { first: 30000, last: 32767 } },
    version: { major: "1", minor: "36" },
    ...options,
  });
  return {
    server,
    clock,
    store,
    client: inProcessClient(server.parts, TEST_USER),
    request: (method, target, body, headers) => ask(server, method, target, body, headers),
    watch: (target, headers) => openWatch(server, target, headers),
    close: async () => {
      await server.close();
      await store.close();
    },
  };
}

/** A request as a transport would make it. */
export function requestOf(
  method: string,
  target: string,
  body: unknown,
  headers: Headers = {},
): ApiRequest {
  const [path, query] = target.split("?") as [string, string | undefined];
  const bytes = Buffer.isBuffer(body) ? body : bytesOf(body);
  return {
    method,
    path,
    query: new URLSearchParams(query),
    headers: { "content-type": "application/json", ...headers },
    body: () => Promise.resolve(bytes),
    remoteAddress: "127.0.0.1",
    signal: new AbortController().signal,
  };
}

function bytesOf(body: unknown): Buffer {
  if (body === undefined) return Buffer.alloc(0);
  return Buffer.from(typeof body === "string" ? body : JSON.stringify(body));
}

/** A test's body with a server of its own. */
export function inServer(test: (server: TestServer) => Promise<void>): () => Promise<void> {
  return async () => {
    const server = await startTestServer();
    await test(server).finally(() => server.close());
  };
}

async function ask(
  server: ApiServer,
  method: string,
  target: string,
  body: unknown,
  headers?: Headers,
): Promise<Answer> {
  const response = await server.pipeline.handle(requestOf(method, target, body, headers));
  const bytes = Buffer.isBuffer(response.body) ? response.body : readAll(response.body);
  const text = bytes.toString();
  const isJson = String(response.headers["content-type"]).startsWith("application/json");
  const json: unknown = isJson ? JSON.parse(text) : undefined;
  const headersSeen = { ...response.headers, ...response.moreHeaders };
  return { status: response.status, headers: headersSeen, text, json };
}

function readAll(source: ByteSource): Buffer {
  const pieces: Buffer[] = [];
  for (let piece = source.read(); piece; piece = source.read()) pieces.push(piece);
  source.close();
  return Buffer.concat(pieces);
}

async function openWatch(server: ApiServer, target: string, headers?: Headers): Promise<TestWatch> {
  const response = await server.pipeline.handle(requestOf("GET", target, undefined, headers));
  if (Buffer.isBuffer(response.body)) throw new Error(`no watch: ${response.body.toString()}`);
  const source = response.body;
  let wake: () => void = () => {};
  source.onReadable(() => wake());
  let text = "";
  let isOver = false;
  const fill = (): void => {
    for (;;) {
      const piece = source.read();
      if (piece === null) isOver = true;
      if (!piece) return;
      text += piece.toString();
    }
  };
  return {
    get isOver() {
      fill();
      return isOver;
    },
    async next(count) {
      const frames: Body[] = [];
      while (frames.length < count) {
        const woken = new Promise<void>((resolve) => (wake = resolve));
        fill();
        const end = text.indexOf("\n");
        if (end >= 0) {
          frames.push(JSON.parse(text.slice(0, end)));
          text = text.slice(end + 1);
        } else if (isOver) break;
        else await woken;
      }
      return frames;
    },
  };
}
