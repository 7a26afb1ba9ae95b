import {
  forbidden,
  invalid,
  notSupported,
  type FieldError,
} from "../../api/machinery/field-error.ts";
import { booleanOf, integerOf, textOf } from "../../api/machinery/query-values.ts";
import { badRequest, invalid as invalidObject } from "../../api/machinery/status-errors.ts";
import { quoteGo } from "../../api/machinery/go-format.ts";

/** What a request for a log asks for. */
export interface LogOptions {
  /** "": not named. */
  readonly container: string;
  /** The query for the kubelet. */
  readonly query: string;
  /** The kubelet's certificate shall not be verified. */
  readonly isUnverified: boolean;
}

const STREAMS = ["All", "Stderr", "Stdout"];

/** RFC 3339, to any fraction of a second. */
const TIME = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d([.,]\d+)?([Zz]|[+-]\d\d:\d\d)$/;

/**
 * Reads and checks the options of `pods/log`.
 *
 * @throws {StatusError} BadRequest: a value of the wrong type. Invalid.
 * @spec k8s@1.36 core/v1 PodLogOptions; apis/core/validation ValidatePodLogOptions; registry/core/pod LogLocation
 */
export function parseLogOptions(query: URLSearchParams, pod: string): LogOptions {
  const numbers = {
    sinceSeconds: integerOf(query, "sinceSeconds"),
    tailLines: integerOf(query, "tailLines"),
    limitBytes: integerOf(query, "limitBytes"),
  };
  const sinceTime = timeOf(query);
  const stream = textOf(query, "stream");
  const errors = [
    ...numberErrors(numbers),
    ...(sinceTime && numbers.sinceSeconds !== undefined
      ? [forbidden("[]", "at most one of `sinceTime` or `sinceSeconds` may be specified")]
      : []),
    ...streamErrors(stream, numbers.tailLines),
  ];
  if (errors.length > 0)
    throw invalidObject({ group: "", kind: "PodLogOptions", name: pod, errors });
  const asked = new URLSearchParams();
  for (const name of ["follow", "previous", "timestamps"])
    if (booleanOf(query, name)) asked.set(name, "true");
  for (const [name, value] of Object.entries(numbers))
    if (value !== undefined) asked.set(name, String(value));
  if (sinceTime) asked.set("sinceTime", sinceTime);
  if (stream !== "" && stream !== "All") asked.set("stream", stream);
  return {
    container: textOf(query, "container"),
    query: asked.toString(),
    isUnverified: booleanOf(query, "insecureSkipTLSVerifyBackend") ?? false,
  };
}

interface Numbers {
  readonly sinceSeconds: number | undefined;
  readonly tailLines: number | undefined;
  readonly limitBytes: number | undefined;
}

function numberErrors({ sinceSeconds, tailLines, limitBytes }: Numbers): FieldError[] {
  const errors: FieldError[] = [];
  if (tailLines !== undefined && tailLines < 0)
    errors.push(invalid("tailLines", tailLines, "must be greater than or equal to 0"));
  for (const [name, value] of Object.entries({ limitBytes, sinceSeconds }))
    if (value !== undefined && value < 1)
      errors.push(invalid(name, value, "must be greater than 0"));
  return errors;
}

function streamErrors(stream: string, tailLines: number | undefined): FieldError[] {
  if (stream === "" || stream === "All") return [];
  if (!STREAMS.includes(stream)) return [notSupported("stream", stream, STREAMS)];
  if (tailLines === undefined) return [];
  return [forbidden("[]", "`tailLines` and specific `stream` are mutually exclusive for now")];
}

/** `sinceTime` as it came; "" when not given. @throws {StatusError} BadRequest */
function timeOf(query: URLSearchParams): string {
  const text = textOf(query, "sinceTime");
  if (text === "" || (TIME.test(text) && !Number.isNaN(Date.parse(text)))) return text;
  const value = quoteGo(text);
  const layout = quoteGo("2006-01-02T15:04:05Z07:00");
  throw badRequest(`parsing time ${value} as ${layout}: cannot parse ${value} as "2006"`);
}
