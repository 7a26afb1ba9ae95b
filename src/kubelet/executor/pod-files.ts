// What a container's start waits for is written synchronously: tiny files, each done in 50 µs, where a turn of the thread
// pool takes milliseconds while the node is busy starting Pods.
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import * as fs from "node:fs/promises";
import { dirname } from "node:path";
import { openLog } from "./open-log.ts";

/** Most bytes of a container's last words. @spec k8s@1.36 pkg/kubelet/container MaxContainerTerminationMessageLength */
const MESSAGE_BYTES_MAX = 4096;

/** Of a log that stands in for them: bytes and lines. @spec MaxContainerTerminationMessageLogLength, …LogLines */
const LOG_BYTES_MAX = 2048;
const LOG_LINES_MAX = 80;

/** Where a container's last words are on the node. */
export function messageFile(podFolder: string, name: string, restartCount: number): string {
  return `${podFolder}/containers/${name}/termination-${restartCount}`;
}

/** Makes an empty file that any user of the container may write. */
export function makeMessageFile(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o750 });
  writeFileSync(path, "");
  chmodSync(path, 0o666);
}

/** What a container left as its last words; "" for nothing. */
export async function readMessage(path: string): Promise<string> {
  const handle = await fs.open(path, "r").catch(() => undefined);
  if (!handle) return "";
  try {
    const buffer = Buffer.alloc(MESSAGE_BYTES_MAX);
    const { bytesRead } = await handle.read(buffer, 0, MESSAGE_BYTES_MAX, 0);
    return buffer.subarray(0, bytesRead).toString("utf8");
  } finally {
    await handle.close();
  }
}

/** The end of a CRI log, without its times and tags. */
export async function readLogTail(path: string): Promise<string> {
  const handle = await openLog(path).catch(() => undefined);
  if (!handle) return "";
  try {
    const { size } = await handle.stat();
    const from = Math.max(0, size - 4 * LOG_BYTES_MAX);
    const buffer = Buffer.alloc(size - from);
    await handle.read(buffer, 0, buffer.length, from);
    const lines = buffer
      .toString("utf8")
      .split("\n")
      .slice(from > 0 ? 1 : 0, -1);
    const texts = lines.slice(-LOG_LINES_MAX).map(textOf);
    return texts.join("").slice(-LOG_BYTES_MAX);
  } finally {
    await handle.close();
  }
}

/** What a container wrote, out of one line of its log: `TIME STREAM TAG TEXT`, where the tag P says that the line goes on. */
function textOf(line: string): string {
  const [, , tag, ...text] = line.split(" ");
  return `${text.join(" ")}${tag === "P" ? "" : "\n"}`;
}

/** Writes a Pod's /etc/hosts in place: containers have the file itself mounted. */
export function writeHostsFile(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o750 });
  writeFileSync(path, text, { mode: 0o644 });
}

/** The text of a file of the node; "" where there is none. */
export async function readNodeFile(path: string): Promise<string> {
  return fs.readFile(path, "utf8").catch(() => "");
}

/** Makes the folder of one container's logs. */
export function makeLogFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o755 });
}

/** The name under which log agents look for a container's log. @spec kuberuntime/legacy.go legacyLogSymlink */
export function linkLog(
  folder: string,
  pod: { readonly name: string; readonly namespace: string },
  container: string,
  id: string,
  log: string,
): void {
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  const stem = `${pod.name}_${pod.namespace}_${container}`.slice(0, 251 - id.length);
  try {
    symlinkSync(log, `${folder}/${stem}-${id}.log`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}

/** Removes the links of one container's log. */
export async function unlinkLog(folder: string, id: string): Promise<void> {
  const names = await fs.readdir(folder).catch(() => [] as string[]);
  for (const name of names)
    if (name.endsWith(`-${id}.log`)) await fs.rm(`${folder}/${name}`, { force: true });
}

/** Removes a folder of logs. */
export async function removeFolder(path: string): Promise<void> {
  await fs.rm(path, { recursive: true, force: true });
}
