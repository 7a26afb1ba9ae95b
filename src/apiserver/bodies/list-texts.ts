import { stringify } from "yaml";
import {
  makeTable,
  parseIncludeObject,
  partialObjectMetadata,
  partialObjectMetadataList,
  tableColumns,
  tableRow,
  type ListMeta,
} from "../../api/machinery/table.ts";
import type { Representation } from "../negotiation.ts";
import type { ServerParts } from "../parts.ts";
import { facedObject } from "../registry/face.ts";
import type { ObjectVersion } from "../registry/object-version.ts";
import type { ServedResource } from "../resource-table.ts";

/** The text of a list whose items are made one by one. */
export interface ItemText {
  /** Before the first item. */
  readonly head: string;
  readonly separator: string;
  /** After the last item. */
  readonly tail: string;
  /** All of a list without items. */
  readonly empty: string;
  item(version: ObjectVersion): string;
}

/** A list as an object whose items are still missing: `around` has an empty array as its last field. */
interface Shape {
  readonly around: object;
  readonly item: (version: ObjectVersion) => object;
}

/**
 * The text of a list in the form that the request wants.
 *
 * @throws {StatusError} BadRequest: an unknown `includeObject`
 */
export function listTextOf(
  parts: ServerParts,
  face: ServedResource,
  metadata: ListMeta,
  query: URLSearchParams,
  representation: Representation,
  isPretty: boolean,
): ItemText {
  const shape = shapeOf(parts, face, metadata, query, representation);
  if (representation.mediaType === "application/yaml") return yamlText(shape);
  return isPretty ? prettyText(shape) : jsonText(shape);
}

function shapeOf(
  parts: ServerParts,
  face: ServedResource,
  metadata: ListMeta,
  query: URLSearchParams,
  { as, version }: Representation,
): Shape {
  if (as === "Table") return tableShape(parts, face, metadata, query, version!);
  if (as)
    return {
      around: partialObjectMetadataList(metadata, [], version),
      item: ({ object }) => partialObjectMetadata(object, version),
    };
  const { apiVersion } = face;
  return {
    around: { kind: `${face.kind.kind}List`, apiVersion, metadata, items: [] },
    item: (item) => {
      const { kind: _kind, apiVersion: _apiVersion, ...rest } = facedObject(face, item.object);
      return rest;
    },
  };
}

function tableShape(
  { clock }: ServerParts,
  face: ServedResource,
  metadata: ListMeta,
  query: URLSearchParams,
  version: NonNullable<Representation["version"]>,
): Shape {
  const { columns } = face.resource;
  const now = clock.now();
  const include = parseIncludeObject(query.get("includeObject"));
  const isWhole = include === "Object" && face.older !== undefined;
  return {
    around: makeTable(metadata, tableColumns(columns), [], version),
    item: ({ object }) => {
      const row = tableRow(object, columns, include, now, version);
      return isWhole ? { ...row, object: facedObject(face, object) } : row;
    },
  };
}

function jsonText({ around, item }: Shape): ItemText {
  const text = JSON.stringify(around);
  return {
    head: text.slice(0, -"]}".length),
    separator: ",",
    tail: "]}\n",
    empty: `${text}\n`,
    item: (version) => JSON.stringify(item(version)),
  };
}

/** As `JSON.stringify(…, 2)` writes the whole. */
function prettyText({ around, item }: Shape): ItemText {
  const text = JSON.stringify(around, undefined, 2);
  return {
    head: `${text.slice(0, -"]\n}".length)}\n    `,
    separator: ",\n    ",
    tail: "\n  ]\n}\n",
    empty: `${text}\n`,
    item: (version) => JSON.stringify(item(version), undefined, 2).replaceAll("\n", "\n    "),
  };
}

function yamlText({ around, item }: Shape): ItemText {
  const text = stringify(around);
  return {
    head: text.slice(0, -" []\n".length),
    separator: "",
    tail: "\n",
    empty: text,
    item: (version) => `\n${stringify([item(version)]).trimEnd()}`.replaceAll("\n", "\n  "),
  };
}
