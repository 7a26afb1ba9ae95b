import { badRequest, invalid as invalidObject } from "../../api/machinery/status-errors.ts";
import { notSupported, type FieldError } from "../../api/machinery/field-error.ts";
import { NO_FLAGS, type FieldValidation, type WriteFlags } from "../api-call.ts";
import type { ApiRequest } from "../request.ts";
import { isTrue } from "../request-info.ts";

/** Characters of a user agent that name a field manager. @spec apiserver handlers/create.go managerOrUserAgent */
const MANAGER_CHARACTERS_MAX = 128;

/** Parameters that every write understands. @throws {StatusError} Invalid, as the options' own kind */
export function writeFlags(request: ApiRequest, optionsKind: string): WriteFlags {
  const { query } = request;
  if (query.size === 0)
    return { ...NO_FLAGS, fieldManager: agentName(request), fieldValidation: "Warn" };
  const dryRun = query.getAll("dryRun");
  const validation = query.get("fieldValidation") ?? "";
  const errors: FieldError[] = [];
  for (const value of dryRun)
    if (value !== "All") errors.push(notSupported("dryRun", dryRun, ["All"]));
  if (!isValidation(validation))
    errors.push(notSupported("fieldValidation", validation, ["", "Ignore", "Strict", "Warn"]));
  if (errors.length > 0)
    throw invalidObject({ group: "meta.k8s.io", kind: optionsKind, name: "", errors });
  return {
    isDryRun: dryRun.length > 0,
    fieldManager: query.get("fieldManager") ?? agentName(request),
    fieldValidation: validation === "" ? "Warn" : (validation as FieldValidation),
  };
}

/** Parameters of a list or a watch, as they came. @spec apimachinery meta/v1 ListOptions */
export interface ReadQuery {
  readonly labelSelector: string;
  readonly fieldSelector: string;
  readonly resourceVersion: string;
  readonly resourceVersionMatch: string;
  readonly limit: number;
  readonly continue: string;
  readonly timeoutSeconds: number | undefined;
  readonly allowBookmarks: boolean;
  /** `undefined`: not asked either way. */
  readonly sendInitialEvents: boolean | undefined;
}

/** Of a list without parameters. */
export const NO_QUERY: ReadQuery = {
  labelSelector: "",
  fieldSelector: "",
  resourceVersion: "",
  resourceVersionMatch: "",
  limit: 0,
  continue: "",
  timeoutSeconds: undefined,
  allowBookmarks: false,
  sendInitialEvents: undefined,
};

/** @throws {StatusError} BadRequest: a number that is none */
export function readQuery(query: URLSearchParams): ReadQuery {
  if (query.size === 0) return NO_QUERY;
  return {
    labelSelector: query.get("labelSelector") ?? "",
    fieldSelector: query.get("fieldSelector") ?? "",
    resourceVersion: query.get("resourceVersion") ?? "",
    resourceVersionMatch: query.get("resourceVersionMatch") ?? "",
    limit: integer(query, "limit") ?? 0,
    continue: query.get("continue") ?? "",
    timeoutSeconds: integer(query, "timeoutSeconds"),
    allowBookmarks: isTrue(query.get("allowWatchBookmarks")),
    sendInitialEvents: query.has("sendInitialEvents")
      ? isTrue(query.get("sendInitialEvents"))
      : undefined,
  };
}

/** @throws {StatusError} BadRequest, as Go's parser words it */
export function integer(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null || text === "") return undefined;
  const value = Number(text);
  if (Number.isSafeInteger(value) && text.trim() === text) return value;
  throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
}

function agentName(request: ApiRequest): string {
  const agent = request.headers["user-agent"] ?? "";
  const slash = agent.indexOf("/");
  return (slash < 0 ? agent : agent.slice(0, slash)).slice(0, MANAGER_CHARACTERS_MAX);
}

function isValidation(text: string): boolean {
  return text === "" || text === "Strict" || text === "Warn" || text === "Ignore";
}
