import type { KubeObject } from "../api/machinery/object.ts";
import { StatusError, type Status } from "../api/machinery/status-error.ts";
import type { WatchEvent } from "./client.ts";

const NEWLINE = 0x0a;
/** Longest frame in bytes: an object may have 3 MB, and text grows when it is escaped. */
const FRAME_BYTES_MAX = 32 * 1024 * 1024;

/** Cuts a body into its lines. A last line without end is dropped: its rest was lost with the connection. */
export async function* linesOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let pending: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      const tail = chunk.subarray(from, end);
      yield pending.length ? Buffer.concat([...pending, tail]) : tail;
      pending = [];
      bytes = 0;
      from = end + 1;
    }
    if (from === chunk.length) continue;
    pending.push(chunk.subarray(from));
    bytes += chunk.length - from;
    if (bytes > FRAME_BYTES_MAX) throw new RangeError("a watch frame is too large");
  }
}

/** One frame. @throws {StatusError} the server ends the watch with an error. */
export function decodeFrame<T extends KubeObject>(line: Buffer): WatchEvent<T> {
  const { type, object } = JSON.parse(line.toString("utf8")) as {
    type: string;
    object: KubeObject;
  };
  switch (type) {
    case "ADDED":
    case "MODIFIED":
    case "DELETED":
      return { type, object: object as T };
    case "BOOKMARK":
      return { type, resourceVersion: object.metadata?.resourceVersion ?? "" };
    default:
      throw new StatusError(object as unknown as Status);
  }
}
