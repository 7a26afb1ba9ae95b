import { notFound } from "../../api/machinery/status-errors.ts";
import type { ApiCall } from "../api-call.ts";
import { localKey } from "../registry/keys.ts";
import { shown } from "../registry/face.ts";
import type { ObjectVersion } from "../registry/object-version.ts";

/** The present version of the object that the call names. @throws {StatusError} NotFound */
export function getObject(call: ApiCall): ObjectVersion {
  const { served, info } = call;
  const version = served.cache.get(localKey(info.namespace, info.name));
  if (!version) throw notFound(served.kind, info.name);
  return shown(served, version);
}
