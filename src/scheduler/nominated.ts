import type { V1Pod } from "../gen/types.ts";
import type { Look, NodeRefusal } from "./look.ts";
import type { NodeInfo } from "./node-info.ts";
import type { Nominations } from "./nominations.ts";
import { priorityOf } from "./priority.ts";
import { placedPodOf } from "./placed-pod.ts";

/**
 * Why the Pods that a node is kept for leave no place on it for another; `undefined`: it may go there beside them.
 *
 * Only those of at least its priority count. Whether the Pod fits without them is asked elsewhere: some may never come, and
 * what they would bring (a Pod to be near to) is not there yet.
 * @spec k8s@1.36 framework/runtime RunFilterPluginsWithNominatedPods, first pass
 */
export function refusalWithNominated(
  look: Look,
  pod: V1Pod,
  node: NodeInfo,
  nominations: Nominations,
): NodeRefusal | undefined {
  const others = [...nominations.on(node.name)].filter(
    (one) =>
      one.metadata?.uid !== pod.metadata?.uid &&
      priorityOf(one) >= priorityOf(pod) &&
      !node.pods.has(one.metadata?.uid ?? ""),
  );
  if (others.length === 0) return undefined;
  const beside = node.clone();
  for (const one of others) beside.addPod(one.metadata?.uid ?? "", placedPodOf(one));
  return look.refusalIf(beside);
}
