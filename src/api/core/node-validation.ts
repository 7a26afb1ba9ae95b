import type { V1Node, V1NodeSpec, V1Taint } from "../../gen/types.ts";
import { equalSemantic } from "../machinery/equality.ts";
import { duplicate, forbidden, invalid } from "../machinery/field-error.ts";
import { validateLabelValue, validateQualifiedName } from "../machinery/names.ts";
import { each, invalids, requiredOneOf, when, type Errors } from "../strategy/checks.ts";
import { isCidr, isIpv6 } from "../strategy/ip.ts";
import { withField } from "../strategy/strategy.ts";
import { validateAmounts } from "./resource-validation.ts";

const EFFECTS = ["NoSchedule", "PreferNoSchedule", "NoExecute"];

/** @spec k8s@1.36 pkg/apis/core/validation ValidateNode */
export function validateNode({ spec = {}, status = {} }: V1Node): Errors {
  return [
    ...validateTaints(spec.taints, "metadata.taints"),
    ...validateAmounts(status.capacity ?? {}, "status.capacity"),
    ...validateAmounts(status.allocatable ?? {}, "status.allocatable"),
    ...validatePodCidrs(spec.podCIDRs ?? []),
  ];
}

/** Upstream says `metadata.taints`, although they are the spec's. */
function validateTaints(taints: readonly V1Taint[] | undefined, field: string): Errors {
  const seen = new Set<string>();
  return each(taints, field, (taint, path) => {
    const { key, value = "", effect } = taint;
    const pair = `${key}:${effect}`;
    const isKnown = seen.has(pair);
    seen.add(pair);
    const messages = validateLabelValue(value);
    const twice = {
      ...duplicate(path, taint),
      detail: "taints must be unique by key and effect pair",
    };
    return [
      ...invalids(`${path}.key`, key, validateQualifiedName(key ?? "")),
      ...when(messages.length > 0, invalid(`${path}.value`, value, messages.join(";"))),
      ...requiredOneOf(`${path}.effect`, effect, EFFECTS),
      ...when(isKnown, twice),
    ];
  });
}

function validatePodCidrs(ranges: readonly string[]): Errors {
  const field = "spec.podCIDRs";
  const families = new Set(ranges.map((range) => isIpv6(range.split("/")[0]!)));
  const rule = "may specify no more than one CIDR for each IP family";
  return [
    ...each(ranges, field, (range, path) =>
      when(
        !isCidr(range),
        invalid(path, range, "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"),
      ),
    ),
    ...when(families.size < ranges.length, invalid(field, ranges, rule)),
  ];
}

/** Addresses and identities are given once. @spec ValidateNodeUpdate */
export function validateNodeChange(node: V1Node, stored: V1Node): Errors {
  const [spec, old] = [node.spec ?? {}, stored.spec ?? {}];
  const once = (field: "podCIDRs" | "providerID", name: string): Errors =>
    when(
      (old[field] ?? "").length > 0 && !equalSemantic(spec[field], old[field]),
      forbidden(`spec.${field}`, `node updates may not change ${name} except from "" to valid`),
    );
  const changeable = [
    "podCIDR",
    "podCIDRs",
    "providerID",
    "taints",
    "unschedulable",
    "configSource",
  ];
  const rest = (from: V1NodeSpec): V1NodeSpec =>
    (changeable as (keyof V1NodeSpec)[]).reduce(
      (result, field) => withField(result, field, undefined),
      from,
    );
  const rule =
    "node updates may only change labels, taints, or capacity (or configSource, if the DynamicKubeletConfig feature gate is enabled)";
  return [
    ...once("podCIDRs", "podCIDR"),
    ...once("providerID", "providerID"),
    ...when(!equalSemantic(rest(spec), rest(old)), forbidden("", rule)),
  ];
}

/** @spec ValidateNodeUpdate, of status */
export function validateNodeStatus(node: V1Node): Errors {
  const { addresses = [] } = node.status ?? {};
  const known = new Set<string>();
  return [
    ...validateAmounts(node.status?.capacity ?? {}, "status.capacity"),
    ...validateAmounts(node.status?.allocatable ?? {}, "status.allocatable"),
    ...each(addresses, "status.addresses", (address, path) => {
      const key = JSON.stringify([address.type ?? "", address.address ?? ""]);
      const isKnown = known.has(key);
      known.add(key);
      return when(isKnown, duplicate(path, address));
    }),
  ];
}
