import type { V1PodSpec } from "../../gen/types.ts";
import type { Plugin } from "../framework.ts";

const REJECTED = {
  reasons: ["node(s) didn't match Pod's required features"],
  isUnresolvable: true,
};

/** What a Pod may need that not every kubelet of the last releases does. @spec k8s@1.36 component-helpers/nodedeclaredfeatures */
const FEATURES: Readonly<Record<string, (spec: V1PodSpec) => boolean>> = {
  RestartAllContainersOnContainerExits: ({ containers, initContainers = [] }) =>
    [...containers, ...initContainers].some(({ restartPolicyRules = [] }) =>
      restartPolicyRules.some(({ action }) => action === "RestartAllContainers"),
    ),
  UserNamespacesHostNetworkSupport: ({ hostNetwork, hostUsers }) =>
    hostNetwork === true && hostUsers === false,
};

/** Keeps Pods off nodes whose kubelets do not declare what they need. @spec k8s@1.36 plugins/nodedeclaredfeatures */
export const nodeDeclaredFeatures: Plugin<readonly string[]> = {
  name: "NodeDeclaredFeatures",
  read(spec) {
    const needed = Object.keys(FEATURES).filter((name) => FEATURES[name]!(spec));
    return needed.length > 0 ? needed : undefined;
  },
  filter:
    (needed) =>
    ({ node }) => {
      const declared = node.status?.declaredFeatures ?? [];
      return needed.every((name) => declared.includes(name)) ? undefined : REJECTED;
    },
  canHelp: (change) => change.kind === "node" && change.difference?.features !== false,
};
