import type { Node } from "../../api/core/node.ts";
import type { AdmissionCall } from "../request.ts";
import type { AdmissionPlugin } from "./admission.ts";
import { isAbout } from "./refusal.ts";

const TAINT = { key: "node.kubernetes.io/not-ready", effect: "NoSchedule" } as const;

/**
 * A new Node takes no Pods until the node controller has seen it ready: the taint comes with the object, not after it.
 *
 * @spec k8s@1.36 plugin/pkg/admission/nodetaint
 */
export const taintNodesByCondition: AdmissionPlugin = {
  name: "TaintNodesByCondition",

  handles: (call) => call.operation === "CREATE" && isAbout(call, "nodes"),

  admit(call: AdmissionCall): Node | undefined {
    const node = call.object as Node;
    const taints = node.spec?.taints ?? [];
    if (taints.some(({ key, effect }) => key === TAINT.key && effect === TAINT.effect))
      return undefined;
    return { ...node, spec: { ...node.spec, taints: [...taints, TAINT] } };
  },
};
