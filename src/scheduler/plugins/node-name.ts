import type { Plugin } from "../framework.ts";

const REJECTED = {
  reasons: ["node(s) didn't match the requested node name"],
  isUnresolvable: true,
};

/** A Pod that names its node goes there. @spec k8s@1.36 plugins/nodename */
export const nodeName: Plugin<string> = {
  name: "NodeName",
  read: (spec) => spec.nodeName || undefined,
  filter: (wanted) => (node) => (node.name === wanted ? undefined : REJECTED),
  canHelp: (change) => change.kind === "node" && !change.old,
};
