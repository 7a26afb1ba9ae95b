import type { V1Taint, V1Toleration } from "../../gen/types.ts";
import { scaledDown, type Plugin, type Scoring } from "../framework.ts";
import { isTolerated } from "../../api/core/tolerations.ts";

const REJECTED = { reasons: ["node(s) had untolerated taint(s)"], isUnresolvable: true };

const isHard = ({ effect }: V1Taint): boolean => effect === "NoSchedule" || effect === "NoExecute";
const isPreference = ({ effect }: V1Taint): boolean => effect === "PreferNoSchedule";

/** Fewer untolerated PreferNoSchedule taints are better. */
const preference: Scoring<readonly V1Toleration[]> = {
  scorer(tolerations) {
    const soft = tolerations.filter(({ effect }) => !effect || effect === "PreferNoSchedule");
    return ({ taints }) => {
      if (taints.length === 0) return 0;
      return taints.filter((taint) => isPreference(taint) && !isTolerated(taint, soft)).length;
    };
  },
  normalized: scaledDown,
};

/** Taints repel, tolerations accept. @spec k8s@1.36 plugins/tainttoleration */
export const taintToleration: Plugin<readonly V1Toleration[]> = {
  name: "TaintToleration",
  read: ({ tolerations }) => tolerations ?? [],
  filter:
    (tolerations) =>
    ({ taints }) =>
      taints.length > 0 && repels(taints, tolerations) ? REJECTED : undefined,
  weight: 3,
  scoring: preference,
  canHelp: (change, tolerations) =>
    change.kind === "node" &&
    change.difference?.taints !== false &&
    !repels(change.node.spec?.taints ?? [], tolerations),
};

/** True when a taint that keeps Pods off is not tolerated. */
export function repels(taints: readonly V1Taint[], tolerations: readonly V1Toleration[]): boolean {
  return taints.some((taint) => isHard(taint) && !isTolerated(taint, tolerations));
}
