import type { SchemaSet } from "../../api/machinery/schema.ts";
import { parseDeleteOptions, type DeleteOptions } from "../../api/machinery/write-options.ts";
import { parseBody } from "../bodies/decode.ts";
import type { ApiRequest } from "../request.ts";
import type { DeletionOptions } from "../verbs/deletion.ts";

/** What a delete asks for, and whether it is a dry run. */
export interface RequestedDeletion {
  readonly options: DeletionOptions;
  readonly isDryRun: boolean;
}

const EXPECTED = { apiVersion: "v1", kind: "DeleteOptions" };

/** What a delete request asks for, in its body or in its query. @throws {StatusError} BadRequest, Invalid */
export function deletionOf(
  schemas: SchemaSet,
  request: ApiRequest,
  bytes: Buffer,
): RequestedDeletion {
  const contentType = request.headers["content-type"];
  const body = bytes.length > 0 ? parseBody(schemas, bytes, contentType, EXPECTED) : undefined;
  return fromOptions(parseDeleteOptions(request.query, body));
}

/** What a `DeleteOptions` object inside of another one asks for. @throws {StatusError} BadRequest, Invalid */
export function deletionOfObject(body: unknown): RequestedDeletion {
  return fromOptions(parseDeleteOptions(new URLSearchParams(), body));
}

function fromOptions(asked: DeleteOptions): RequestedDeletion {
  const { gracePeriodSeconds, propagationPolicy, isDryRun } = asked;
  const { uid, resourceVersion } = asked.preconditions;
  const options = {
    ...(gracePeriodSeconds !== undefined && { graceSeconds: gracePeriodSeconds }),
    ...(propagationPolicy && { propagation: propagationPolicy }),
    ...(uid !== undefined && { ifUid: uid }),
    ...(resourceVersion !== undefined && { ifResourceVersion: resourceVersion }),
  };
  return { options, isDryRun };
}
