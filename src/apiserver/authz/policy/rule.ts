import type { V1PolicyRule } from "../../../gen/types.ts";

/** Words of API groups in rules: `core` stands for "". */
const GROUPS: Readonly<Record<string, string>> = {
  core: "",
  authentication: "authentication.k8s.io",
  authorization: "authorization.k8s.io",
  certificates: "certificates.k8s.io",
  compose: "compose.docker.com",
  coordination: "coordination.k8s.io",
  discovery: "discovery.k8s.io",
  events: "events.k8s.io",
  metrics: "metrics.k8s.io",
  networking: "networking.k8s.io",
  node: "node.k8s.io",
  rbac: "rbac.authorization.k8s.io",
  resource: "resource.k8s.io",
  scheduling: "scheduling.k8s.io",
  storage: "storage.k8s.io",
};

export const READ = "get list watch";
export const WRITE = "create delete deletecollection patch update";
export const READ_WRITE = `${READ} ${WRITE}`;

/** `rule("get list", "core", "pods pods/log")`: words parted by spaces, as are several groups. */
export function rule(
  verbs: string,
  groups: string,
  resources: string,
  names?: string,
): V1PolicyRule {
  return {
    apiGroups: words(groups).map((group) => GROUPS[group] ?? group),
    resources: words(resources),
    ...(names === undefined ? {} : { resourceNames: words(names) }),
    verbs: words(verbs),
  };
}

/** A rule on paths that are no resources. */
export function urls(verbs: string, paths: string): V1PolicyRule {
  return { nonResourceURLs: words(paths), verbs: words(verbs) };
}

/** Writing events, as every component does. */
export const EVENTS: V1PolicyRule = rule("create patch update", "core events", "events");

function words(text: string): readonly string[] {
  return text.split(" ").filter((word) => word !== "");
}
