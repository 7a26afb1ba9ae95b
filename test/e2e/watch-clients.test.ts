// Real clients that say they accept gzip: each follows a compressed watch event by event, over both versions of HTTP, and to its end.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { Agent, request } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { SystemClock } from "../../src/base/system-clock.ts";
import { kubectlPath, otherKubectls, until } from "../support/cluster.ts";
import type { ApiConnection } from "../support/crash/api-connection.ts";
import { ServerProcess } from "../support/crash/server-process.ts";

const MAPS = "/api/v1/namespaces/default/configmaps";
const WATCH = `${MAPS}?watch=1&fieldSelector=metadata.name%3Dwatched`;
const NO_LOAD = ["--no-scheduler", "--no-controllers"];
/** Changes of one burst: many to a write, so that they are deflated. */
const BURST = 200;
/** How long an event may take to a client, ms: twenty kubectls begin at once, on a machine that may do other work. */
const SEEN_MS_MAX = 60_000;

/** Passes bytes on as they are, and notes how answers are encoded, by the first word of the client's name. */
class Passage {
  readonly encodings = new Map<string, string | undefined>();
  readonly #server: Server;
  readonly #agent: Agent;
  readonly #port: number;

  constructor(folder: string, port: number) {
    const read = (name: string): Buffer => readFileSync(join(folder, "pki", name));
    const identity = { cert: read("admin.crt"), key: read("admin.key"), ca: read("ca.crt") };
    this.#agent = new Agent(identity);
    this.#port = port;
    this.#server = createServer((message, answer) => this.#pass(message, answer));
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
    this.#agent.destroy();
  }

  #pass(message: IncomingMessage, answer: ServerResponse): void {
    const { method, url, headers } = message;
    const to = { host: "127.0.0.1", port: this.#port, path: url, method, headers };
    const passed = request({ ...to, agent: this.#agent }, (given) => {
      if (url!.includes("watch="))
        this.encodings.set(headers["user-agent"] ?? "", given.headers["content-encoding"]);
      answer.writeHead(given.statusCode!, given.headers).flushHeaders();
      given.pipe(answer);
    });
    passed.on("error", () => answer.destroy());
    answer.on("close", () => passed.destroy());
    message.pipe(passed);
  }
}

/** A client that watches: all that it has said so far. */
class Follower {
  readonly name: string;
  readonly child: ChildProcess;
  text = "";
  errors = "";

  constructor(name: string, command: string, words: readonly string[]) {
    this.name = name;
    this.child = spawn(command, words);
    this.child.stdout!.on("data", (piece: Buffer) => (this.text += piece.toString()));
    this.child.stderr!.on("data", (piece: Buffer) => (this.errors += piece.toString()));
  }

  /** The values of `at` that it has seen. */
  seen(): string[] {
    return [...this.text.matchAll(/"?at"?[=:] ?"?(\w+)/g)].map(([, value]) => value!);
  }
}

const FETCH = `
  const answer = await fetch(process.argv[1]);
  for await (const piece of answer.body) process.stdout.write(piece);`;

describe("clients that accept gzip", () => {
  const folder = mkdtempSync(join(tmpdir(), "skiff-watch-"));
  let server: ServerProcess;
  let connection: ApiConnection;
  let passage: Passage;
  let url: string;
  const followers: Follower[] = [];

  before(async () => {
    server = await ServerProcess.at(folder, new SystemClock(), NO_LOAD);
    server.spawn();
    await server.ready();
    connection = server.connect();
    const first = { metadata: { name: "watched" }, data: { at: "first" } };
    assert.equal((await connection.request("POST", MAPS, first)).status, 201);
    passage = new Passage(folder, server.port);
    url = await passage.listen();
  });
  after(async () => {
    for (const { child } of followers) child.kill();
    passage.close();
    connection.close();
    await server.end("SIGTERM");
    rmSync(folder, { recursive: true });
  });

  async function change(at: string): Promise<void> {
    const body = { metadata: { name: "watched" }, data: { at } };
    assert.equal((await connection.request("PUT", `${MAPS}/watched`, body)).status, 200);
  }

  async function untilAllSaw(at: string): Promise<void> {
    for (const follower of followers)
      await until(
        `${follower.name} sees ${at}: ${follower.errors}`,
        () => follower.seen().at(-1) === at,
        SEEN_MS_MAX,
      );
  }

  it("kubectl of many releases, curl and Node.js see each event when it happens, and miss none of many", async () => {
    const kubectl = (version: string | undefined, target: readonly string[]): Follower =>
      // A list: of one named object kubectl drops the first event, whatever happened since it read the object.
      new Follower(`kubectl ${version ?? ""} ${target.join(" ")}`, kubectlPath(version), [
        ...target,
        ...`-n default get configmaps --field-selector=metadata.name=watched -w -o jsonpath=at={.data.at}{"\\n"}`.split(
          " ",
        ),
      ]);
    const through = ["--server", url, "--kubeconfig", "/dev/null"];
    const direct = ["--kubeconfig", join(folder, "admin.kubeconfig")];
    for (const version of [undefined, ...otherKubectls()])
      followers.push(kubectl(version, through), kubectl(version, direct));
    followers.push(
      new Follower("curl", "curl", ["-sN", "--compressed", `${url}${WATCH}&pretty=false`]),
      new Follower("fetch", process.execPath, [
        "--input-type=module",
        "-e",
        FETCH,
        `${url}${WATCH}`,
      ]),
    );
    await untilAllSaw("first");
    for (const at of ["alone", "second"]) {
      await change(at);
      await untilAllSaw(at);
    }
    const burst = Array.from({ length: BURST }, (_, index) => `b${index}`);
    for (const at of burst) await change(at);
    await untilAllSaw(burst.at(-1)!);
    const all = ["first", "alone", "second", ...burst];
    for (const follower of followers) assert.deepEqual(follower.seen(), all, follower.name);
    const encodings = [...passage.encodings];
    assert.equal(encodings.length, otherKubectls().length + 3);
    for (const [agent, encoding] of encodings) assert.equal(encoding, "gzip", agent);
  });

  it("the end of a compressed watch is the end of a whole file, and a name that nobody knows gets plain text", async () => {
    const words = ["-sN", "--compressed", "-w", "%{http_code} %{size_download}"];
    const short = `${url}${WATCH}&pretty=false&timeoutSeconds=1`;
    for (const agent of ["curl/8", "some-client/1"]) {
      const follower = new Follower("curl", "curl", [...words, "-A", agent, short]);
      const code = await new Promise((resolve) => follower.child.once("close", resolve));
      assert.equal(code, 0, follower.errors);
    }
    assert.equal(passage.encodings.get("curl/8"), "gzip");
    assert.equal(passage.encodings.get("some-client/1"), undefined);
  });
});
