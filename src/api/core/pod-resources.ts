import type { V1PodSpec } from "../../gen/types.ts";
import { errorsOfEach, forbidden, invalid, notSupported } from "../machinery/field-error.ts";
import {
  compareQuantities,
  formatQuantity,
  parseQuantity,
  quantityProblem,
  type Quantity,
} from "../machinery/quantity.ts";
import { each, when, type Errors } from "../strategy/checks.ts";
import { podQuantities } from "./pod-quantities.ts";
import { containerLimits, containerRequests, isShareable } from "./pod-requests.ts";
import { canOvercommit, validateResources } from "./resource-validation.ts";

/**
 * A Pod with limits as a whole asks, as a whole, for what its containers ask for; for what none asks for, as much as the limit.
 *
 * @spec k8s@1.36 pkg/apis/core/v1 defaults.go defaultPodRequests; KEP-2837
 */
export function withPodRequests(spec: V1PodSpec): V1PodSpec {
  const { limits = {}, requests: own = {} } = spec.resources ?? {};
  if (Object.keys(limits).length === 0) return spec;
  const asked = podQuantities(spec, containerRequests(spec), "requests");
  const shared = [...asked]
    .filter(([name]) => isShareable(name) && canOvercommit(name))
    .map(([name, amount]) => [name, formatQuantity(amount)] as const);
  const limited = Object.entries(limits).filter(([name]) => isShareable(name));
  const requests = { ...Object.fromEntries(limited), ...Object.fromEntries(shared), ...own };
  const isComplete = Object.keys(requests).length === Object.keys(own).length;
  return isComplete ? spec : { ...spec, resources: { ...spec.resources, requests } };
}

/** Requests and limits of a whole pod: only what its containers can share, and enough for them. @spec validatePodResources */
export function validatePodResources(spec: V1PodSpec, field: string): Errors {
  const { limits = {}, requests = {}, claims } = spec.resources ?? {};
  const wrong = (list: string, names: readonly string[]): Errors =>
    names
      .filter((name) => !isShareable(name))
      .map((name) => notSupported(`${field}.${list}[${name}]`, name, ["cpu", "memory"]));
  return [
    ...wrong("limits", Object.keys(limits)),
    ...wrong("requests", Object.keys(requests)),
    ...validateResources({ limits, requests }, new Set(), field),
    ...when((claims ?? []).length > 0, forbidden(`${field}.claims`, "claims may not be set")),
    ...tooLittle(spec, "requests", field),
    ...tooLittle(spec, "limits", field),
    ...each(spec.containers, `${field}.containers`, ({ resources }, path) =>
      errorsOfEach(Object.entries(resources?.limits ?? {}), ([name, amount]) => {
        const rule = `must be less than or equal to pod limits of ${limits[name]}`;
        return when(
          isMore(quantityOf(amount), quantityOf(limits[name])),
          invalid(`${path}[${name}].limits`, amount, rule),
        );
      }),
    ),
  ];
}

/** @spec validatePodResourceConsistency: limits of containers may add up to more, but for huge pages */
function tooLittle(spec: V1PodSpec, list: "requests" | "limits", field: string): Errors {
  const own = spec.resources?.[list] ?? {};
  const amounts = list === "requests" ? containerRequests(spec) : containerLimits(spec);
  const all = [...podQuantities(spec, amounts, list)].filter(
    ([name]) => isShareable(name) && (list === "requests" || !canOvercommit(name)),
  );
  return errorsOfEach(all, ([name, total]) => {
    const text = formatQuantity(total);
    const rule = `must be greater than or equal to aggregate container ${list} of ${text}`;
    return when(
      isMore(total, quantityOf(own[name])),
      invalid(`${field}.${list}[${name}]`, own[name], rule),
    );
  });
}

function quantityOf(text: string | undefined): Quantity | undefined {
  return text === undefined || quantityProblem(text) ? undefined : parseQuantity(text);
}

function isMore(a: Quantity | undefined, b: Quantity | undefined): boolean {
  return a !== undefined && b !== undefined && compareQuantities(a, b) > 0;
}
