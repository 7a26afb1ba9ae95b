import type { Definition } from "./definitions.ts";
import { refTo } from "./definitions.ts";

/** A parameter in the form of OpenAPI 2. */
export interface Parameter {
  readonly name: string;
  readonly in: "query" | "path" | "body";
  readonly description?: string;
  readonly required?: boolean;
  /** Of query and path parameters. */
  readonly type?: "string" | "integer" | "boolean";
  readonly uniqueItems?: boolean;
  /** Of the body. */
  readonly schema?: Definition;
}

const query = (name: string, type: "string" | "integer" | "boolean", description: string) =>
  ({ name, in: "query", description, type, uniqueItems: true }) as const satisfies Parameter;

const dryRun = query(
  "dryRun",
  "string",
  "`All`: every stage runs, nothing is stored. Other values are refused.",
);
const write: readonly Parameter[] = [
  dryRun,
  query("fieldManager", "string", "Who makes this change: at most 128 printable characters."),
  query(
    "fieldValidation",
    "string",
    "What unknown and duplicate fields do: `Ignore`, `Warn` (the default) or `Strict`.",
  ),
];

/** The parameters of each kind of operation; clients look for `dryRun` and `fieldValidation` in patches. */
export const PARAMETERS = {
  pretty: query("pretty", "string", "`true`: the answer is indented."),
  write,
  patch: [
    ...write,
    query("force", "boolean", "For apply: take fields that another manager owns."),
  ] as readonly Parameter[],
  delete: [
    dryRun,
    query("gracePeriodSeconds", "integer", "Seconds before the object goes; 0 is at once."),
    query(
      "ignoreStoreReadErrorWithClusterBreakingPotential",
      "boolean",
      "Delete an object that cannot be read, without finalizers and preconditions.",
    ),
    query("orphanDependents", "boolean", "Deprecated: use propagationPolicy."),
    query("propagationPolicy", "string", "`Orphan`, `Background` or `Foreground`."),
  ] as readonly Parameter[],
  list: [
    query("allowWatchBookmarks", "boolean", "Send bookmarks in a watch."),
    query("continue", "string", "The token of the page before."),
    query("fieldSelector", "string", "Only objects with these field values."),
    query("labelSelector", "string", "Only objects with these labels."),
    query("limit", "integer", "Objects of one page at most."),
    query("resourceVersion", "string", "How new the answer must be."),
    query("resourceVersionMatch", "string", "How resourceVersion applies to a list."),
    query("sendInitialEvents", "boolean", "A watch begins with what there is, then a bookmark."),
    query("timeoutSeconds", "integer", "Seconds after which a list or watch ends."),
    query("watch", "boolean", "Stream changes instead of listing."),
  ] as readonly Parameter[],
} as const;

/** A parameter in the path. */
export function pathParameter(name: string, description: string): Parameter {
  return { name, in: "path", description, required: true, type: "string", uniqueItems: true };
}

/** The body of a request. */
export function bodyOf(schema: Definition, isRequired: boolean): Parameter {
  return { name: "body", in: "body", ...(isRequired && { required: true }), schema };
}

/** The body of a patch, of whichever kind. */
export const BODY_PATCH: Parameter = bodyOf(
  refTo("io.k8s.apimachinery.pkg.apis.meta.v1.Patch"),
  true,
);
