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
import type { ObjectVersion } from "../registry/object-version.ts";
import type { ServedResource } from "../resource-table.ts";

/**
 * Objects as rows, as `kubectl get` prints them.
 *
 * @throws {StatusError} BadRequest: an unknown `includeObject`
 */
export function tableOf(
  parts: ServerParts,
  served: ServedResource,
  versions: readonly ObjectVersion[],
  metadata: ListMeta,
  query: URLSearchParams,
  version: MetaVersion,
): Table {
  const { columns } = served.resource;
  const now = parts.clock.now();
  const include = parseIncludeObject(query.get("includeObject"));
  const rows = versions.map(({ object }) => tableRow(object, columns, include, now, version));
  return makeTable(metadata, tableColumns(columns), rows, version);
}
