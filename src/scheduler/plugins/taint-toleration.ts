import type { V1Taint, V1Toleration } from "../../gen/types.ts";
import { normalizeByMaximum, type Plugin, type Scoring } from "../framework.ts";
import { isTolerated } from "../../api/core/tolerations.ts";

const REJECTED = { reasons: ["node(s) had untolerated taint(s)"], isUnresolvable: true };

const isHard = ({ effect }: V1Taint): boolean => effect === "NoSchedule" || effect === "NoExecute";

/** Fewer untolerated PreferNoSchedule taints are better. */
const preference: Scoring<readonly V1Toleration[]> = {
  weight: 3,
  prepare: (pod, nodes) =>
    nodes.some(({ node }) => node.spec?.taints?.some(isPreference))
      ? (pod.spec?.tolerations ?? []).filter(
          ({ effect }) => !effect || effect === "PreferNoSchedule",
        )
      : undefined,
  score: (tolerations, { node }) =>
    (node.spec?.taints ?? []).filter(
      (taint) => isPreference(taint) && !isTolerated(taint, tolerations),
    ).length,
  normalize: (scores) => normalizeByMaximum(scores, true),
};

function isPreference({ effect }: V1Taint): boolean {
  return effect === "PreferNoSchedule";
}

/** Taints repel, tolerations accept. @spec k8s@1.36 plugins/tainttoleration */
export const taintToleration: Plugin<readonly V1Toleration[]> = {
  name: "TaintToleration",
  prepareFilter: (pod) => pod.spec?.tolerations ?? [],
  filter: (tolerations, { node }) => {
    const taints = node.spec?.taints;
    if (!taints || taints.length === 0) return undefined;
    return taints.some((taint) => isHard(taint) && !isTolerated(taint, tolerations))
      ? REJECTED
      : undefined;
  },
  score: preference,
  canHelp: (change, pod) =>
    change.kind === "node" &&
    !(change.node.spec?.taints ?? []).some(
      (taint) => isHard(taint) && !isTolerated(taint, pod.spec?.tolerations ?? []),
    ),
};
