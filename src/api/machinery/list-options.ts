import { decodeContinue } from "./continue-token.ts";
import type { ContinueToken } from "./continue-token.ts";
import * as field from "./field-error.ts";
import type { FieldError } from "./field-error.ts";
import { parseFieldSelector } from "./field-selector.ts";
import type { FieldSelector } from "./field-selector.ts";
import { parseLabelSelector } from "./label-selector.ts";
import type { LabelSelector } from "./label-selector.ts";
import { booleanOf, integerOf, parseResourceVersion, textOf } from "./query-values.ts";
import { badRequest, invalid } from "./status-errors.ts";

/**
 * What a list, a watch or a deletecollection asks for.
 *
 * @spec k8s@1.36 apimachinery meta/v1 ListOptions; meta/internalversion/validation
 */
export interface ListOptions {
  readonly labelSelector: LabelSelector;
  readonly fieldSelector: FieldSelector;
  readonly isWatch: boolean;
  readonly allowsBookmarks: boolean;
  /** `undefined`: not given, which means the newest; 0: any. */
  readonly resourceVersion: number | undefined;
  readonly resourceVersionMatch: "" | "Exact" | "NotOlderThan";
  readonly timeoutSeconds: number | undefined;
  /** 0: no limit. */
  readonly limit: number;
  /** Lists only; a watch ignores it. */
  readonly continueToken: ContinueToken | undefined;
  /** Watches only: begin with the objects there are, then a bookmark. */
  readonly sendInitialEvents: boolean | undefined;
}

/**
 * Reads and checks the options of a list or watch. `isWatch`: the path or verb says watch already.
 *
 * @throws {StatusError} BadRequest: not readable; Invalid: options that exclude each other.
 */
export function parseListOptions(query: URLSearchParams, isWatch = false): ListOptions {
  const raw: RawOptions = {
    isWatch: isWatch || (booleanOf(query, "watch") ?? false),
    resourceVersion: textOf(query, "resourceVersion"),
    match: textOf(query, "resourceVersionMatch"),
    continueText: textOf(query, "continue"),
    sendInitialEvents: booleanOf(query, "sendInitialEvents"),
  };
  const numbers = {
    timeoutSeconds: integerOf(query, "timeoutSeconds"),
    limit: Math.max(integerOf(query, "limit") ?? 0, 0),
  };
  const selectors = {
    labelSelector: parseLabelSelector(textOf(query, "labelSelector")),
    fieldSelector: parseFieldSelector(textOf(query, "fieldSelector")),
  };
  const errors = raw.isWatch ? watchErrors(raw) : listErrors(raw);
  if (errors.length > 0)
    throw invalid({ group: "meta.k8s.io", kind: "ListOptions", name: "", errors });
  return {
    ...selectors,
    ...numbers,
    isWatch: raw.isWatch,
    allowsBookmarks: booleanOf(query, "allowWatchBookmarks") ?? false,
    resourceVersion: parseResourceVersion(raw.resourceVersion),
    resourceVersionMatch: raw.match as ListOptions["resourceVersionMatch"],
    continueToken: raw.isWatch ? undefined : continueOf(raw),
    sendInitialEvents: raw.sendInitialEvents,
  };
}

interface RawOptions {
  readonly isWatch: boolean;
  readonly resourceVersion: string;
  readonly match: string;
  readonly continueText: string;
  readonly sendInitialEvents: boolean | undefined;
}

const MATCH = "resourceVersionMatch";

/** @spec ValidateListOptions */
function listErrors({
  match,
  resourceVersion,
  continueText,
  sendInitialEvents,
}: RawOptions): FieldError[] {
  const errors: FieldError[] = [];
  if (match !== "") {
    if (resourceVersion === "")
      errors.push(
        field.forbidden(MATCH, `${MATCH} is forbidden unless resourceVersion is provided`),
      );
    if (continueText !== "")
      errors.push(field.forbidden(MATCH, `${MATCH} is forbidden when continue is provided`));
    if (match !== "Exact" && match !== "NotOlderThan")
      errors.push(field.notSupported(MATCH, match, ["Exact", "NotOlderThan", ""]));
    if (match === "Exact" && resourceVersion === "0")
      errors.push(field.forbidden(MATCH, `${MATCH} "exact" is forbidden for resourceVersion "0"`));
  }
  if (sendInitialEvents !== undefined)
    errors.push(field.forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list"));
  return errors;
}

/** @spec validateWatchOptions */
function watchErrors({ match, continueText, sendInitialEvents }: RawOptions): FieldError[] {
  const errors: FieldError[] = [];
  if (sendInitialEvents !== undefined && match !== "NotOlderThan")
    errors.push(
      field.forbidden(MATCH, `sendInitialEvents requires setting ${MATCH} to NotOlderThan`),
    );
  if (match === "") return errors;
  if (sendInitialEvents === undefined)
    errors.push(
      field.forbidden(
        MATCH,
        `${MATCH} is forbidden for watch unless sendInitialEvents is provided`,
      ),
    );
  if (match !== "NotOlderThan") errors.push(field.notSupported(MATCH, match, ["NotOlderThan"]));
  if (continueText !== "")
    errors.push(field.forbidden(MATCH, `${MATCH} is forbidden when continue is provided`));
  return errors;
}

function continueOf({ continueText, resourceVersion }: RawOptions): ContinueToken | undefined {
  if (continueText === "") return undefined;
  const token = decodeContinue(continueText);
  if (resourceVersion !== "" && resourceVersion !== "0")
    throw badRequest("specifying resource version is not allowed when using continue");
  return token;
}

/** What a get asks for. */
export interface GetOptions {
  /** `undefined`: the newest; otherwise at least this. */
  readonly resourceVersion: number | undefined;
}

/** Reads the options of a get. @throws {StatusError} BadRequest */
export function parseGetOptions(query: URLSearchParams): GetOptions {
  return { resourceVersion: parseResourceVersion(textOf(query, "resourceVersion")) };
}
