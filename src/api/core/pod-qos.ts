import type { V1Container, V1PodSpec } from "../../gen/types.ts";
import { remembered } from "../../base/recent.ts";
import { parseQuantity, quantityProblem } from "../machinery/quantity.ts";
import { SPECS_MAX } from "./pod-specs.ts";

const COUNTED = ["cpu", "memory"] as const;

export type QosClass = "Guaranteed" | "Burstable" | "BestEffort";

/** How firmly a pod's cpu and memory are promised. @spec k8s@1.36 pkg/apis/core/v1/helper/qos ComputePodQOS */
export const qosClassOf: (spec: V1PodSpec) => QosClass = remembered(SPECS_MAX, computedQos);

function computedQos(spec: V1PodSpec): QosClass {
  const parts: readonly Pick<V1Container, "resources">[] =
    Object.keys(spec.resources ?? {}).length > 0
      ? [{ resources: spec.resources! }]
      : [...(spec.containers ?? []), ...(spec.initContainers ?? [])];
  const asks = parts.some((part) => COUNTED.some((name) => isAsked(part, name)));
  if (!asks) return "BestEffort";
  return parts.every((part) => COUNTED.every((name) => isGuaranteed(part, name)))
    ? "Guaranteed"
    : "Burstable";
}

function amount(quantity: string | undefined): bigint {
  return quantity === undefined || quantityProblem(quantity) ? 0n : parseQuantity(quantity).nanos;
}

function isAsked({ resources }: Pick<V1Container, "resources">, name: string): boolean {
  return amount(resources?.requests?.[name]) > 0n || amount(resources?.limits?.[name]) > 0n;
}

function isGuaranteed({ resources }: Pick<V1Container, "resources">, name: string): boolean {
  const limit = amount(resources?.limits?.[name]);
  const request = resources?.requests?.[name];
  return limit > 0n && (request === undefined || amount(request) === limit);
}
