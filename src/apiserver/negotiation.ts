import type { MetaVersion } from "../api/machinery/table.ts";

/** What the client wants the answer to look like. */
export interface Representation {
  readonly mediaType: "application/json" | "application/yaml";
  /** Another shape of the same objects. @spec k8s@1.36 apiserver endpoints/handlers/response.go */
  readonly as?: "Table" | "PartialObjectMetadata" | "PartialObjectMetadataList";
  /** Of the shape: `v1` or `v1beta1` of meta.k8s.io. */
  readonly version?: MetaVersion;
}

const JSON_ONLY: Representation = { mediaType: "application/json" };

/** Distinct `Accept` headers remembered. Clients send a handful; the bound is against inventive ones. */
const REMEMBERED_MAX = 256;
const remembered = new Map<string, Representation | undefined>();

/**
 * The first alternative of an `Accept` header that the server can make; `undefined`: none (406).
 *
 * Only JSON and YAML: a client that prefers protobuf names JSON second, and gets it.
 * @spec k8s@1.36 apiserver endpoints/handlers/negotiation
 */
export function negotiate(accept: string | undefined): Representation | undefined {
  if (accept === undefined || accept === "" || accept === "*/*" || accept === "application/json")
    return JSON_ONLY;
  if (remembered.has(accept)) return remembered.get(accept);
  const chosen = choose(accept.split(","));
  if (remembered.size < REMEMBERED_MAX) remembered.set(accept, chosen);
  return chosen;
}

/** The same for answers that no table shows: reviews. @spec RequestScope.AllowsMediaTypeTransform */
export function negotiateUntabled(accept: string | undefined): Representation | undefined {
  const chosen = negotiate(accept);
  if (chosen?.as !== "Table") return chosen;
  return choose(
    accept!.split(",").filter((clause) => parseClause(clause)?.representation.as !== "Table"),
  );
}

/** True when the text of a body should have line breaks. @spec negotiation isPrettyPrint */
export function wantsPretty(query: URLSearchParams, userAgent: string | undefined): boolean {
  const parameter = query.get("pretty");
  if (parameter !== null) return parameter !== "0" && parameter !== "false";
  const agent = userAgent ?? "";
  return agent.startsWith("curl") || agent.startsWith("Wget") || agent.startsWith("Mozilla/5.0");
}

interface Alternative {
  readonly quality: number;
  readonly representation: Representation;
}

function choose(clauses: readonly string[]): Representation | undefined {
  let best: Alternative | undefined;
  for (const clause of clauses) {
    const alternative = parseClause(clause);
    if (alternative && (!best || alternative.quality > best.quality)) best = alternative;
  }
  return best?.representation;
}

function parseClause(clause: string): Alternative | undefined {
  const [type, ...rest] = clause.split(";").map((part) => part.trim());
  const mediaType = mediaTypeOf(type!.toLowerCase());
  if (!mediaType) return undefined;
  const parameters = new Map(
    rest.map((part): [string, string] => {
      const equals = part.indexOf("=");
      return [part.slice(0, equals).toLowerCase(), part.slice(equals + 1)];
    }),
  );
  const quality = Number(parameters.get("q") ?? "1");
  if (!(quality > 0)) return undefined;
  const as = parameters.get("as");
  if (as === undefined) return { quality, representation: { mediaType } };
  const version = parameters.get("v") ?? "";
  const isKnown = isShape(as) && parameters.get("g") === "meta.k8s.io" && isMetaVersion(version);
  return isKnown ? { quality, representation: { mediaType, as, version } } : undefined;
}

function mediaTypeOf(type: string): Representation["mediaType"] | undefined {
  if (type === "application/json" || type === "*/*" || type === "application/*")
    return "application/json";
  return type === "application/yaml" ? "application/yaml" : undefined;
}

const isMetaVersion = (version: string): version is MetaVersion =>
  version === "v1" || version === "v1beta1";

const isShape = (as: string): as is NonNullable<Representation["as"]> =>
  as === "Table" || as === "PartialObjectMetadata" || as === "PartialObjectMetadataList";
