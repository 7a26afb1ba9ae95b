import { parseTime, type Instant } from "../../base/clock.ts";

/** What part of a log is wanted, and how. */
export interface LogOptions {
  readonly isFollowing: boolean;
  readonly isPrevious: boolean;
  readonly hasTimestamps: boolean;
  /** Only lines at or after this time. */
  readonly since: Instant | undefined;
  readonly tailLines: number | undefined;
  readonly bytesMax: number | undefined;
  readonly stream: "all" | "stdout" | "stderr";
}

/**
 * Reads the query of a log request.
 *
 * @returns what is wrong, as text, when it cannot be understood.
 * @spec k8s@1.36 core/v1 PodLogOptions; apis/core/validation ValidatePodLogOptions
 */
export function logOptionsOf(query: URLSearchParams, now: Instant): LogOptions | string {
  const isTrue = (name: string): boolean => /^(1|t|true)$/i.test(query.get(name) ?? "");
  const tail = numberOf(query, "tailLines", 0);
  const bytes = numberOf(query, "limitBytes", 1);
  const seconds = numberOf(query, "sinceSeconds", 1);
  for (const problem of [tail, bytes, seconds]) if (typeof problem === "string") return problem;
  const sinceTime = query.get("sinceTime");
  const at = sinceTime ? parseTime(sinceTime) : undefined;
  if (Number.isNaN(at)) return `sinceTime: Invalid value: ${JSON.stringify(sinceTime)}`;
  if (at !== undefined && seconds !== undefined)
    return "at most one of `sinceTime` or `sinceSeconds` may be specified";
  const stream = (query.get("stream") || "All").toLowerCase();
  if (stream !== "all" && stream !== "stdout" && stream !== "stderr")
    return `stream: Unsupported value: ${JSON.stringify(query.get("stream"))}`;
  return {
    isFollowing: isTrue("follow"),
    isPrevious: isTrue("previous"),
    hasTimestamps: isTrue("timestamps"),
    since: at ?? (seconds === undefined ? undefined : now - Number(seconds) * 1000),
    tailLines: tail as number | undefined,
    bytesMax: bytes as number | undefined,
    stream,
  };
}

function numberOf(
  query: URLSearchParams,
  name: string,
  least: number,
): number | string | undefined {
  const text = query.get(name);
  if (text === null || text === "") return undefined;
  const value = Number(text);
  if (Number.isInteger(value) && value >= least) return value;
  const rule = least === 0 ? "greater than or equal to 0" : "greater than 0";
  return `${name}: Invalid value: ${text}: must be ${rule}`;
}
