import type { Instant } from "../../base/clock.ts";
import type { KubeObject, ObjectMeta } from "./object.ts";
import type { Column } from "./resource.ts";
import { badRequest } from "./status-errors.ts";

/**
 * The shapes that a client may ask for in place of the objects: Table rows for `kubectl get`, and metadata alone.
 *
 * @spec k8s@1.36 apimachinery meta/v1 Table, PartialObjectMetadata; apiserver endpoints/handlers/response.go
 */
export interface Table {
  readonly kind: "Table";
  readonly apiVersion: string;
  readonly metadata: ListMeta;
  readonly columnDefinitions: readonly TableColumn[];
  readonly rows: readonly TableRow[];
}

export interface ListMeta {
  readonly resourceVersion?: string;
  readonly continue?: string;
  readonly remainingItemCount?: number;
}

export interface TableColumn {
  readonly name: string;
  readonly type: string;
  readonly format: string;
  readonly description: string;
  readonly priority: number;
}

export interface TableRow {
  readonly cells: readonly (string | number | boolean)[];
  /** `null` when the client wants cells only. */
  readonly object: KubeObject | null;
}

export interface PartialObjectMetadata {
  readonly kind: "PartialObjectMetadata";
  readonly apiVersion: string;
  readonly metadata: ObjectMeta;
}

/** What stands in `object` of a row. */
export type IncludeObject = "None" | "Metadata" | "Object";

/** The versions of meta.k8s.io in which clients ask; the shapes are the same. */
export type MetaVersion = "v1" | "v1beta1";

/**
 * Reads `includeObject=` of a request; default Metadata.
 *
 * @throws {StatusError} BadRequest.
 */
export function parseIncludeObject(text: string | null | undefined): IncludeObject {
  if (!text) return "Metadata";
  if (text === "None" || text === "Metadata" || text === "Object") return text;
  const why = `Invalid value: ${JSON.stringify(text)}: must be 'Metadata', 'Object', 'None', or empty`;
  throw badRequest(`Unable to convert to Table as requested: includeObject: ${why}`);
}

/** The heading of a table: `columnDefinitions`. */
export function tableColumns<T extends KubeObject>(
  columns: readonly Column<T>[],
): readonly TableColumn[] {
  return columns.map(({ name, type, format = "", description, priority }) => ({
    name,
    type,
    format,
    description,
    priority,
  }));
}

/** One object as a row. Cells with an age are as of `now`, so a row may be kept only for as long as that is right. */
export function tableRow<T extends KubeObject>(
  object: T,
  columns: readonly Column<T>[],
  include: IncludeObject,
  now: Instant,
  version: MetaVersion = "v1",
): TableRow {
  return {
    cells: columns.map((column) => column.cell(object, now)),
    object: shownObject(object, include, version),
  };
}

function shownObject(
  object: KubeObject,
  include: IncludeObject,
  version: MetaVersion,
): KubeObject | null {
  if (include === "Object") return object;
  return include === "None" ? null : partialObjectMetadata(object, version);
}

/** A Table. `columns` is empty in all but the first event of a watch. */
export function makeTable(
  metadata: ListMeta,
  columns: readonly TableColumn[],
  rows: readonly TableRow[],
  version: MetaVersion = "v1",
): Table {
  return {
    kind: "Table",
    apiVersion: `meta.k8s.io/${version}`,
    metadata,
    columnDefinitions: columns,
    rows,
  };
}

/** The metadata alone: what garbage collectors and `kubectl get -o name` need. */
export function partialObjectMetadata(
  object: KubeObject,
  version: MetaVersion = "v1",
): PartialObjectMetadata {
  return {
    kind: "PartialObjectMetadata",
    apiVersion: `meta.k8s.io/${version}`,
    metadata: object.metadata ?? {},
  };
}

/** The list form of {@link partialObjectMetadata}; each item says its kind, as upstream's do. */
export function partialObjectMetadataList(
  metadata: ListMeta,
  objects: readonly KubeObject[],
  version: MetaVersion = "v1",
): object {
  return {
    kind: "PartialObjectMetadataList",
    apiVersion: `meta.k8s.io/${version}`,
    metadata,
    items: objects.map((object) => partialObjectMetadata(object, version)),
  };
}
