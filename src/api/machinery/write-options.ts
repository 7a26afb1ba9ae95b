import * as field from "./field-error.ts";
import type { FieldError } from "./field-error.ts";
import { isPrintable } from "./go-format.ts";
import { getOwn, isRecord, jsonTypeName } from "./json-value.ts";
import type { JsonRecord } from "./json-value.ts";
import type { ObjectMeta } from "./object.ts";
import { validateFieldManager } from "./object-meta-validation.ts";
import { booleanOf, integerOf, textOf } from "./query-values.ts";
import { badRequest, invalid } from "./status-errors.ts";

/**
 * Options of create, update, patch and delete.
 *
 * @spec k8s@1.36 apimachinery meta/v1 CreateOptions…DeleteOptions; meta/v1/validation
 */
export interface WriteOptions {
  readonly isDryRun: boolean;
  /** "" when not given: see {@link fieldManagerOf}. */
  readonly fieldManager: string;
  readonly fieldValidation: FieldValidation;
  /** Apply patches only: take fields over from other managers. */
  readonly isForced: boolean;
}

/** What happens to unknown and repeated fields of a body. */
export type FieldValidation = "Ignore" | "Warn" | "Strict";

/** Which write the options belong to; names the options in errors. */
export type WriteKind = "CreateOptions" | "UpdateOptions" | "PatchOptions";

/**
 * Reads and checks the options of a create, update or patch. `isApply`: a server-side apply patch.
 *
 * @throws {StatusError} Invalid.
 */
export function parseWriteOptions(
  query: URLSearchParams,
  kind: WriteKind,
  isApply = false,
): WriteOptions {
  const dryRun = query.getAll("dryRun");
  const fieldManager = textOf(query, "fieldManager");
  const validation = textOf(query, "fieldValidation");
  const force = kind === "PatchOptions" ? booleanOf(query, "force") : undefined;
  const errors = [
    ...(kind === "PatchOptions" ? applyErrors(force, fieldManager, isApply) : []),
    ...validateFieldManager(fieldManager, "fieldManager"),
    ...dryRunErrors(dryRun),
    ...(VALIDATIONS.includes(validation)
      ? []
      : [field.notSupported("fieldValidation", validation, VALIDATIONS)]),
  ];
  if (errors.length > 0) throw invalid({ group: "meta.k8s.io", kind, name: "", errors });
  return {
    isDryRun: dryRun.length > 0,
    fieldManager,
    fieldValidation: validation === "" ? "Warn" : (validation as FieldValidation),
    isForced: force ?? false,
  };
}

const VALIDATIONS: readonly string[] = ["", "Ignore", "Strict", "Warn"];

function applyErrors(
  force: boolean | undefined,
  fieldManager: string,
  isApply: boolean,
): FieldError[] {
  if (!isApply)
    return force === undefined
      ? []
      : [field.forbidden("force", "may not be specified for non-apply patch")];
  return fieldManager === "" ? [field.required("fieldManager", "is required for apply patch")] : [];
}

function dryRunErrors(dryRun: readonly string[]): FieldError[] {
  return dryRun.every((value) => value === "All")
    ? []
    : [field.notSupported("dryRun", dryRun, ["All"])];
}

/** Bytes of a field manager taken from a User-Agent. @spec FieldManagerMaxLength */
const MANAGER_LENGTH_MAX = 128;

/**
 * Who is recorded in managedFields: the option, or what stands before the first `/` of the User-Agent.
 *
 * @spec k8s@1.36 apiserver endpoints/handlers/create.go managerOrUserAgent
 */
export function fieldManagerOf(fieldManager: string, userAgent: string | undefined): string {
  if (fieldManager !== "") return fieldManager;
  const program = (userAgent ?? "").split("/", 1)[0]!;
  const printable = [...program].filter(isPrintable).join("");
  return printable.slice(0, MANAGER_LENGTH_MAX);
}

/** Options of a delete, out of its body or its query. */
export interface DeleteOptions {
  readonly isDryRun: boolean;
  readonly gracePeriodSeconds: number | undefined;
  /** `undefined`: the kind's default. */
  readonly propagationPolicy: PropagationPolicy | undefined;
  readonly preconditions: Preconditions;
}

export type PropagationPolicy = "Orphan" | "Background" | "Foreground";

/** What must still be true of the stored object. */
export interface Preconditions {
  readonly uid?: string;
  readonly resourceVersion?: string;
}

/**
 * Reads and checks the options of a delete. `body`: decoded JSON; without one the query counts.
 *
 * @throws {StatusError} BadRequest: not readable; Invalid: unknown or contradicting values.
 */
export function parseDeleteOptions(query: URLSearchParams, body?: unknown): DeleteOptions {
  const raw = body === undefined ? rawFromQuery(query) : rawFromBody(body);
  const errors = deleteErrors(raw);
  if (errors.length > 0)
    throw invalid({ group: "meta.k8s.io", kind: "DeleteOptions", name: "", errors });
  const { orphan, policy, gracePeriodSeconds } = raw;
  const legacy = orphan === undefined ? undefined : orphan ? "Orphan" : "Background";
  return {
    isDryRun: raw.dryRun.length > 0,
    gracePeriodSeconds,
    propagationPolicy: (policy as PropagationPolicy | undefined) ?? legacy,
    preconditions: raw.preconditions,
  };
}

interface RawDeleteOptions {
  readonly dryRun: readonly string[];
  readonly gracePeriodSeconds: number | undefined;
  readonly orphan: boolean | undefined;
  readonly policy: string | undefined;
  readonly preconditions: Preconditions;
}

function rawFromQuery(query: URLSearchParams): RawDeleteOptions {
  return {
    dryRun: query.getAll("dryRun"),
    gracePeriodSeconds: integerOf(query, "gracePeriodSeconds"),
    orphan: booleanOf(query, "orphanDependents"),
    policy: query.get("propagationPolicy") ?? undefined,
    preconditions: {},
  };
}

function rawFromBody(body: unknown): RawDeleteOptions {
  if (!isRecord(body)) throw mistyped(body, "", "v1.DeleteOptions");
  const kind = getOwn(body, "kind");
  if (kind !== undefined && kind !== "" && kind !== "DeleteOptions")
    throw badRequest("decoded object cannot be converted to DeleteOptions");
  const preconditions = typed(body, "preconditions", isRecord, "v1.Preconditions") ?? {};
  const uid = typed(preconditions, "uid", isText, "types.UID");
  const resourceVersion = typed(preconditions, "resourceVersion", isText, "string");
  return {
    dryRun: typed(body, "dryRun", isTexts, "[]string") ?? [],
    gracePeriodSeconds: typed(body, "gracePeriodSeconds", isInteger, "int64"),
    orphan: typed(body, "orphanDependents", isBoolean, "bool"),
    policy: typed(body, "propagationPolicy", isText, "v1.DeletionPropagation"),
    preconditions: {
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
    },
  };
}

const isText = (value: unknown): value is string => typeof value === "string";
const isBoolean = (value: unknown): value is boolean => typeof value === "boolean";
const isInteger = (value: unknown): value is number => Number.isSafeInteger(value);
const isTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every(isText);

function typed<T>(
  record: JsonRecord,
  name: string,
  isType: (value: unknown) => value is T,
  goType: string,
): T | undefined {
  const value = getOwn(record, name) ?? undefined;
  if (value === undefined || isType(value)) return value;
  throw mistyped(value, `DeleteOptions.${name}`, goType);
}

/** @spec Go encoding/json UnmarshalTypeError */
function mistyped(value: unknown, goField: string, goType: string): Error {
  const into = goField === "" ? "Go value" : `Go struct field ${goField}`;
  return badRequest(`json: cannot unmarshal ${jsonTypeName(value)} into ${into} of type ${goType}`);
}

const POLICIES: readonly string[] = ["Foreground", "Background", "Orphan"];

/** @spec ValidateDeleteOptions */
function deleteErrors({ orphan, policy, dryRun }: RawDeleteOptions): FieldError[] {
  const path = "propagationPolicy";
  const both = "orphanDependents and deletionPropagation cannot be both set";
  return [
    ...(orphan !== undefined && policy !== undefined ? [field.invalid(path, policy, both)] : []),
    ...(policy === undefined || POLICIES.includes(policy)
      ? []
      : [field.notSupported(path, policy, [...POLICIES, "nil"])]),
    ...dryRunErrors(dryRun),
  ];
}

/**
 * Why an object does not meet the preconditions of a delete, for `conflict(…)`; `undefined`: it does.
 *
 * @spec k8s@1.36 apiserver registry/rest/delete.go BeforeDelete
 */
export function preconditionProblem(
  { uid, resourceVersion }: Preconditions,
  meta: ObjectMeta,
): string | undefined {
  const mismatch = (what: string, wanted: string, found: string, guess: string): string =>
    `the ${what} in the precondition (${wanted}) does not match the ${what} in record (${found}). ` +
    `The object might have been ${guess}`;
  const stored = { uid: meta.uid ?? "", resourceVersion: meta.resourceVersion ?? "" };
  if (uid !== undefined && uid !== stored.uid)
    return mismatch("UID", uid, stored.uid, "deleted and then recreated");
  if (resourceVersion !== undefined && resourceVersion !== stored.resourceVersion)
    return mismatch("ResourceVersion", resourceVersion, stored.resourceVersion, "modified");
  return undefined;
}
