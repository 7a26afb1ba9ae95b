import { isRecord } from "./json-value.ts";
import { badRequest } from "./status-errors.ts";

/**
 * Where a list goes on: opaque to clients, and the same bytes as upstream's, so that a tool that peeks still works.
 *
 * @spec k8s@1.36 apiserver storage/continue.go
 */
export interface ContinueToken {
  /** Revision of the first page, so that all pages show one snapshot; −1: the newest one, after the first expired. */
  readonly revision: number;
  /** The first key of the next page, without the resource's prefix: `NAMESPACE/NAME` and a NUL. */
  readonly startKey: string;
}

const VERSION = "meta.k8s.io/v1";
const INVALID = "continue key is not valid";

/** Text for `metadata.continue`. */
export function encodeContinue({ revision, startKey }: ContinueToken): string {
  const json = JSON.stringify({ v: VERSION, rv: revision, start: startKey });
  return Buffer.from(json).toString("base64url");
}

/**
 * The token of a `continue=` parameter.
 *
 * A client can forge one: `startKey` never climbs out of its resource, so nothing can be read that a list would not show.
 * @throws {StatusError} BadRequest: damaged, forged or of another version.
 */
export function decodeContinue(text: string): ContinueToken {
  const token = decodeJson(text);
  const { v, rv, start } = token;
  if (v !== VERSION)
    throw invalidToken(
      `${INVALID}: server does not recognize this encoded version ${typeof v === "string" ? v : ""}`,
    );
  if (!Number.isSafeInteger(rv) || rv === 0)
    throw invalidToken(`${INVALID}: incorrect encoded start resourceVersion (version ${VERSION})`);
  if (typeof start !== "string" || start === "")
    throw invalidToken(`${INVALID}: encoded start key empty (version ${VERSION})`);
  if (!isClean(start)) throw invalidToken(`${INVALID}: ${start}`);
  return { revision: rv as number, startKey: start.replace(/^\//, "") };
}

function decodeJson(text: string): Record<string, unknown> {
  const bad = /[^A-Za-z0-9_-]/.exec(text);
  if (bad || text.length % 4 === 1)
    throw invalidToken(
      `${INVALID}: illegal base64 data at input byte ${bad ? bad.index : text.length - 1}`,
    );
  try {
    const value: unknown = JSON.parse(Buffer.from(text, "base64url").toString("utf8"));
    if (isRecord(value)) return value;
  } catch {
    // Falls through: what the bytes are instead of JSON is no help to anyone.
  }
  throw invalidToken(`${INVALID}: the token is not JSON`);
}

/** No empty, `.` or `..` segment. @spec path.Clean */
function isClean(key: string): boolean {
  const segments = key.replace(/^\//, "").split("/");
  return segments.every((segment) => segment !== "" && segment !== "." && segment !== "..");
}

function invalidToken(why: string): Error {
  return badRequest(`invalid continue token: ${why}`);
}
