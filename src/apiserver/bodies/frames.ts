import type { Status } from "../../api/machinery/status-error.ts";
import type { MatchedEvent } from "../registry/predicate.ts";
import type { FrameEncoder } from "./watch-body.ts";

const LINE_END = Buffer.from("}\n");
const PREFIXES = {
  ADDED: Buffer.from('{"type":"ADDED","object":'),
  MODIFIED: Buffer.from('{"type":"MODIFIED","object":'),
  DELETED: Buffer.from('{"type":"DELETED","object":'),
};

/** Frames of whole objects, put together from the bytes that the versions already have. */
export function objectFrames(
  kind: string,
  apiVersion: string,
  face?: (event: MatchedEvent) => MatchedEvent,
): FrameEncoder {
  return {
    id: `json/${apiVersion}`,
    encode: face ? (events) => encodeObjects(events.map(face)) : encodeObjects,
    bookmark: (revision, isInitialEnd) =>
      frame("BOOKMARK", bookmarkObject(kind, apiVersion, revision, isInitialEnd)),
    error: (status) => frame("ERROR", status),
  };
}

/** Frames of another shape of the objects, made for each event. */
export function shapedFrames(
  id: string,
  shape: (event: MatchedEvent) => object,
  bookmark: (revision: number, isInitialEnd: boolean) => object,
): FrameEncoder {
  return {
    id,
    encode: (events) => Buffer.concat(events.map((event) => frame(event.type, shape(event)))),
    bookmark: (revision, isInitialEnd) => frame("BOOKMARK", bookmark(revision, isInitialEnd)),
    error: (status: Status) => frame("ERROR", status),
  };
}

/** The object of a bookmark: nothing but its revision. @spec KEP-956; KEP-3157 (initial-events-end) */
export function bookmarkObject(
  kind: string,
  apiVersion: string,
  revision: number,
  isInitialEnd: boolean,
): object {
  const annotations = isInitialEnd && { annotations: { "k8s.io/initial-events-end": "true" } };
  return { kind, apiVersion, metadata: { resourceVersion: String(revision), ...annotations } };
}

function encodeObjects(events: readonly MatchedEvent[]): Buffer {
  let length = 0;
  for (const { type, version, revision } of events)
    length += PREFIXES[type].length + version.jsonLength(revision) + LINE_END.length;
  const out = Buffer.allocUnsafe(length);
  let end = 0;
  for (const { type, version, revision } of events) {
    end += PREFIXES[type].copy(out, end);
    end = version.writeJson(out, end, revision);
    end += LINE_END.copy(out, end);
  }
  return out;
}

function frame(type: string, object: object): Buffer {
  return Buffer.from(`{"type":"${type}","object":${JSON.stringify(object)}}\n`);
}
