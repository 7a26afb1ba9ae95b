import {
  makeTable,
  parseIncludeObject,
  tableColumns,
  tableRow,
  type ListMeta,
  type MetaVersion,
  type Table,
} from "../../api/machinery/table.ts";
import type { ServerParts } from "../parts.ts";
import { facedObject } from "../registry/face.ts";
import type { ObjectVersion } from "../registry/object-version.ts";
import type { ServedResource } from "../resource-table.ts";

/**
 * Objects, in the form that the verbs gave, as rows, as `kubectl get` prints them.
 *
 * @throws {StatusError} BadRequest: an unknown `includeObject`
 */
export function tableOf(
  parts: ServerParts,
  face: ServedResource,
  versions: readonly ObjectVersion[],
  metadata: ListMeta,
  query: URLSearchParams,
  version: MetaVersion,
): Table {
  const { columns } = face.resource;
  const now = parts.clock.now();
  const include = parseIncludeObject(query.get("includeObject"));
  const isWhole = include === "Object" && face.older !== undefined;
  const rows = versions.map(({ object }) => {
    const row = tableRow(object, columns, include, now, version);
    return isWhole ? { ...row, object: facedObject(face, object) } : row;
  });
  return makeTable(metadata, tableColumns(columns), rows, version);
}
