import { notSupported, type FieldError } from "../../api/machinery/field-error.ts";
import type { SchemaSet } from "../../api/machinery/schema.ts";
import { badRequest, invalid as invalidObject } from "../../api/machinery/status-errors.ts";
import { parseBody } from "../bodies/decode.ts";
import type { ApiRequest } from "../request.ts";
import type { DeletionOptions } from "../verbs/deletion.ts";
import { integer } from "./query.ts";

/** The body of a delete, or its query where there is none. */
export interface RequestedDeletion extends DeletionOptions {
  readonly isDryRun: boolean;
}

export interface DeleteOptionsBody {
  readonly kind?: string;
  readonly gracePeriodSeconds?: number | null;
  readonly propagationPolicy?: string | null | undefined;
  readonly orphanDependents?: boolean | null;
  readonly dryRun?: readonly string[] | null;
  readonly preconditions?: {
    readonly uid?: string | null;
    readonly resourceVersion?: string | null;
  } | null;
}

/** What a delete asks for. @throws {StatusError} BadRequest, Invalid */
export function deletionOptions(
  schemas: SchemaSet,
  request: ApiRequest,
  bytes: Buffer,
): RequestedDeletion {
  const contentType = request.headers["content-type"];
  const expected = { apiVersion: "v1", kind: "DeleteOptions" };
  const body =
    bytes.length > 0
      ? (parseBody(schemas, bytes, contentType, expected) as DeleteOptionsBody)
      : optionsOfQuery(request.query);
  return deletionOptionsOf(body, request.query);
}

/**
 * A `DeleteOptions` object, checked.
 *
 * @throws {StatusError} BadRequest, Invalid
 * @spec apimachinery meta/v1/validation ValidateDeleteOptions
 */
export function deletionOptionsOf(
  body: DeleteOptionsBody,
  query: URLSearchParams,
): RequestedDeletion {
  const kind = body.kind ?? "DeleteOptions";
  if (kind !== "DeleteOptions")
    throw badRequest(`decoded object cannot be converted to DeleteOptions`);
  const policy = body.propagationPolicy ?? undefined;
  const orphan = body.orphanDependents ?? undefined;
  const dryRun = body.dryRun ?? [];
  const errors = [
    ...(orphan !== undefined && policy !== undefined ? [bothPolicies(policy)] : []),
    ...(policy !== undefined && !isPropagation(policy)
      ? [notSupported("propagationPolicy", policy, ["Foreground", "Background", "Orphan"])]
      : []),
    ...(dryRun.some((value) => value !== "All") ? [notSupported("dryRun", dryRun, ["All"])] : []),
  ];
  if (errors.length > 0)
    throw invalidObject({ group: "meta.k8s.io", kind: "DeleteOptions", name: "", errors });
  const grace = body.gracePeriodSeconds ?? undefined;
  const { uid, resourceVersion } = body.preconditions ?? {};
  return {
    isDryRun: dryRun.length > 0 || query.has("dryRun"),
    ...(grace !== undefined && { graceSeconds: grace }),
    ...(policy !== undefined && { propagation: policy as "Orphan" }),
    ...(orphan !== undefined && { orphanDependents: orphan }),
    ...(uid && { ifUid: uid }),
    ...(resourceVersion && { ifResourceVersion: resourceVersion }),
  };
}

function bothPolicies(policy: string): FieldError {
  return {
    type: "Invalid",
    field: "propagationPolicy",
    badValue: policy,
    detail: "orphanDependents and deletionPropagation cannot be both set",
  };
}

function isPropagation(policy: string): boolean {
  return policy === "Orphan" || policy === "Background" || policy === "Foreground";
}

function optionsOfQuery(query: URLSearchParams): DeleteOptionsBody {
  if (query.size === 0) return {};
  const grace = integer(query, "gracePeriodSeconds");
  const orphan = query.get("orphanDependents");
  return {
    ...(grace !== undefined && { gracePeriodSeconds: grace }),
    propagationPolicy: query.get("propagationPolicy"),
    ...(orphan !== null && { orphanDependents: orphan !== "false" && orphan !== "0" }),
    dryRun: query.getAll("dryRun"),
  };
}
