import type { AggregatedVersion } from "./aggregated.ts";
import { AGGREGATED_VERSIONS, aggregatedDiscovery } from "./aggregated.ts";
import type { Document } from "./document.ts";
import { documentOf } from "./document.ts";
import { apiVersions, groupDocument, groupList } from "./groups.ts";
import { resourceList } from "./resource-list.ts";
import type { ServedApi } from "./source.ts";

/**
 * The discovery document at a path (`/api`, `/apis`, `/apis/GROUP`, `/api/VERSION`, `/apis/GROUP/VERSION`; a slash at the
 * end does not matter); `undefined` when there is none.
 *
 * @bounds computed anew on each call (about a millisecond for all groups): callers keep it as long as the catalog stands
 */
export function discoveryDocument(
  api: ServedApi,
  path: string,
  accept: string,
  serverAddress: string,
): Document | undefined {
  const [root, ...parts] = path.split("/").filter((part) => part !== "");
  if (root !== "api" && root !== "apis") return undefined;
  const version = parts.length === 0 ? aggregatedVersion(accept) : undefined;
  if (version) {
    const contentType = `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`;
    return documentOf(contentType, `${JSON.stringify(aggregatedDiscovery(api, root, version))}\n`);
  }
  const found = plainDocument(api, root, parts, serverAddress);
  return found && documentOf("application/json", `${JSON.stringify(found)}\n`);
}

function plainDocument(
  api: ServedApi,
  root: "api" | "apis",
  parts: readonly string[],
  serverAddress: string,
): object | undefined {
  const [first, second] = parts;
  if (root === "api") {
    if (first === undefined) return apiVersions(api, serverAddress);
    return parts.length === 1 ? resourceList(api, "", first) : undefined;
  }
  if (first === undefined) return groupList(api);
  if (second === undefined) return groupDocument(api, first);
  return parts.length === 2 ? resourceList(api, first, second) : undefined;
}

/** The aggregated form that the header prefers to plain JSON, if any: its parts stand in the client's order. */
function aggregatedVersion(accept: string): AggregatedVersion | undefined {
  for (const range of accept.split(",")) {
    const [type, ...parameters] = range.split(";").map((part) => part.trim());
    const has = (text: string): boolean => parameters.includes(text);
    if (type !== "application/json") continue;
    if (!has("as=APIGroupDiscoveryList")) return undefined;
    const version = AGGREGATED_VERSIONS.find((known) => has(`v=${known}`));
    if (version && has("g=apidiscovery.k8s.io")) return version;
  }
  return undefined;
}
