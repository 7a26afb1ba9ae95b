import type { Entry, ServedApi, ServedGroup } from "./source.ts";
import { entriesOf, groupsOf } from "./source.ts";

/** The versions of the aggregated document, best first. */
export const AGGREGATED_VERSIONS = ["v2", "v2beta1"] as const;

export type AggregatedVersion = (typeof AGGREGATED_VERSIONS)[number];

/** Everything below `/api` or `/apis` in one document. @spec KEP-3352 */
export function aggregatedDiscovery(
  api: ServedApi,
  root: "api" | "apis",
  version: AggregatedVersion,
): object {
  const groups = groupsOf(api).filter((group) => (group.name === "") === (root === "api"));
  return {
    kind: "APIGroupDiscoveryList",
    apiVersion: `apidiscovery.k8s.io/${version}`,
    metadata: {},
    items: groups.map((group) => groupItem(api, group)),
  };
}

function groupItem(api: ServedApi, { name, versions }: ServedGroup): object {
  return {
    metadata: name === "" ? {} : { name },
    versions: versions.map((version) => ({
      version,
      resources: entriesOf(api, name, version).map(resourceItem),
      freshness: "Current",
    })),
  };
}

function resourceItem(entry: Entry): object {
  return {
    resource: entry.plural,
    responseKind: entry.kind,
    scope: entry.isNamespaced ? "Namespaced" : "Cluster",
    singularResource: entry.singular,
    verbs: entry.verbs,
    ...(entry.shortNames && { shortNames: entry.shortNames }),
    ...(entry.categories && { categories: entry.categories }),
    ...(entry.subresources.length > 0 && {
      subresources: entry.subresources.map(({ name, kind, verbs }) => ({
        subresource: name,
        responseKind: kind,
        verbs,
      })),
    }),
  };
}
