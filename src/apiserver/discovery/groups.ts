import type { ServedApi, ServedGroup } from "./source.ts";
import { groupsOf, groupVersionText } from "./source.ts";

/** `/api`. `serverAddress`: host and port under which clients reach this server. */
export function apiVersions(api: ServedApi, serverAddress: string): object {
  const core = groupsOf(api).find((group) => group.name === "");
  return {
    kind: "APIVersions",
    versions: core?.versions ?? [],
    serverAddressByClientCIDRs: [{ clientCIDR: "0.0.0.0/0", serverAddress }],
  };
}

/** `/apis`. */
export function groupList(api: ServedApi): object {
  const groups = groupsOf(api).filter((group) => group.name !== "");
  return { kind: "APIGroupList", apiVersion: "v1", groups: groups.map(groupBody) };
}

/** `/apis/GROUP`; `undefined` when it is not served. */
export function groupDocument(api: ServedApi, name: string): object | undefined {
  const group = name === "" ? undefined : groupsOf(api).find((served) => served.name === name);
  return group && { kind: "APIGroup", apiVersion: "v1", ...groupBody(group) };
}

function groupBody({ name, versions }: ServedGroup): object {
  const rows = versions.map((version) => ({
    groupVersion: groupVersionText(name, version),
    version,
  }));
  return { name, versions: rows, preferredVersion: rows[0] };
}
