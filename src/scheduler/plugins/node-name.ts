import type { Plugin } from "../framework.ts";

const REJECTED = {
  reasons: ["node(s) didn't match the requested node name"],
  isUnresolvable: true,
};

/** A Pod that names its node goes there. @spec k8s@1.36 plugins/nodename */
export const nodeName: Plugin<string> = {
  name: "NodeName",
  prepareFilter: (pod) => pod.spec?.nodeName || undefined,
  filter: (name, node) => (node.name === name ? undefined : REJECTED),
  canHelp: (change) => change.kind === "node",
};
