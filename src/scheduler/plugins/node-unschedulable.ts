import type { V1Toleration } from "../../gen/types.ts";
import type { Plugin } from "../framework.ts";
import { isTolerated } from "../../api/core/tolerations.ts";

const REJECTED = { reasons: ["node(s) were unschedulable"], isUnresolvable: true };
const CORDON = { key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" };

/** Keeps Pods off cordoned nodes. @spec k8s@1.36 plugins/nodeunschedulable */
export const nodeUnschedulable: Plugin<readonly V1Toleration[]> = {
  name: "NodeUnschedulable",
  read: ({ tolerations }) => tolerations ?? [],
  filter: (tolerations) =>
    isTolerated(CORDON, tolerations)
      ? undefined
      : ({ isUnschedulable }) => (isUnschedulable ? REJECTED : undefined),
  canHelp: (change) =>
    change.kind === "node" &&
    change.difference?.taints !== false &&
    !change.node.spec?.unschedulable,
};
