import { createServer } from "node:net";
import type { ClusterFile } from "./cluster-file.ts";
import { tryCommand } from "./command.ts";

/** The port that kubectl's users know. */
export const DEFAULT_API_PORT = 6443;

/** The port asked for is taken. The message names who holds it. */
export class PortTaken extends Error {
  override readonly name = "PortTaken";
}

/**
 * The API port of a new cluster: the one asked for, or the first free one from 6443.
 *
 * `reserved`: ports of other clusters, which may be stopped.
 * @throws {PortTaken} asked for, and taken.
 */
export async function chooseApiPort(
  asked: number | undefined,
  reserved: ReadonlySet<number>,
): Promise<number> {
  if (asked !== undefined) {
    const hint = "choose another with --api-port PORT, or leave the flag out for the next free one";
    await checkFree(asked, hint);
    return asked;
  }
  for (let port = DEFAULT_API_PORT; port < 65_536; port++)
    if (!reserved.has(port) && (await isFree(port))) return port;
  throw new PortTaken("no port from 6443 on is free: choose one with --api-port PORT");
}

/** @throws {PortTaken} somebody else took the port of a stopped cluster. */
export async function checkStoredPort({ name, apiPort }: ClusterFile): Promise<void> {
  await checkFree(
    apiPort,
    `cluster ${name} keeps its port, which its kubeconfigs name: end that process, or 'skiff delete' the cluster`,
  );
}

async function checkFree(port: number, hint: string): Promise<void> {
  if (await isFree(port)) return;
  const holder = await holderOf(port);
  throw new PortTaken(`port ${port} is taken${holder ? ` by ${holder}` : ""}: ${hint}`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.on("error", () => resolve(false));
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () =>
      server.close(() => resolve(true)),
    );
  });
}

/** `nginx (pid 12)`; `undefined` when the machine does not tell. */
async function holderOf(port: number): Promise<string | undefined> {
  const listed = await tryCommand(["ss", "-Hltnp", `sport = :${port}`]);
  const found = /users:\(\("([^"]+)",pid=(\d+)/.exec(listed ?? "");
  return found ? `${found[1]} (pid ${found[2]})` : undefined;
}
