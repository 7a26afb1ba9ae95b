import type { KubeObject } from "../../api/machinery/object.ts";
import type { ServerParts } from "../parts.ts";
import type { ObjectVersion } from "../registry/object-version.ts";
import type { ServedResource } from "../resource-table.ts";
import type { ListMeta } from "./list-body.ts";

/** An object's metadata alone. @spec apimachinery meta/v1 PartialObjectMetadata */
export function partialMetadata(object: KubeObject, version: string): object {
  return {
    kind: "PartialObjectMetadata",
    apiVersion: `meta.k8s.io/${version}`,
    metadata: object.metadata,
  };
}

/** @spec apimachinery meta/v1 PartialObjectMetadataList */
export function partialMetadataList(
  versions: readonly ObjectVersion[],
  metadata: Partial<ListMeta>,
  version: string,
): object {
  return {
    kind: "PartialObjectMetadataList",
    apiVersion: `meta.k8s.io/${version}`,
    metadata,
    items: versions.map(({ object }) => partialMetadata(object, version)),
  };
}

/**
 * Objects as rows, as `kubectl get` prints them. `includeObject`: `None`, `Metadata` (default) or `Object`.
 *
 * @spec k8s@1.36 apiserver endpoints/handlers/response.go asTable
 */
export function tableOf(
  parts: ServerParts,
  served: ServedResource,
  versions: readonly ObjectVersion[],
  metadata: Partial<ListMeta>,
  query: URLSearchParams,
  version: string,
): object {
  const { columns } = served.resource;
  const now = parts.clock.now();
  const include = query.get("includeObject") ?? "Metadata";
  const rows = versions.map(({ object }) => ({
    cells: columns.map((column) => column.cell(object, now)),
    ...(include !== "None" && {
      object: include === "Object" ? object : partialMetadata(object, version),
    }),
  }));
  return {
    kind: "Table",
    apiVersion: `meta.k8s.io/${version}`,
    metadata: metadata.resourceVersion !== undefined ? metadata : {},
    columnDefinitions: columns.map(({ name, type, format = "", description, priority }) => ({
      name,
      type,
      format,
      description,
      priority,
    })),
    rows,
  };
}
