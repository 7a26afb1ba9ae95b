import type { V1Service, V1ServiceSpec } from "../../gen/types.ts";
import { duplicate, invalid, required } from "../machinery/field-error.ts";
import { equalSemantic } from "../machinery/equality.ts";
import { FIELD_IMMUTABLE } from "../machinery/object-meta-validation.ts";
import { each, ipAddress, oneOf, when, type Errors } from "../strategy/checks.ts";
import { isIpv6 } from "../strategy/ip.ts";

const FAMILIES = ["IPv4", "IPv6"];
const FAMILY_POLICIES = ["PreferDualStack", "RequireDualStack", "SingleStack"];
const LIST = "spec.clusterIPs";

/** Addresses and families, each for itself and together. @spec k8s@1.36 validateServiceClusterIPsRelatedFields */
export function validateClusterIps(spec: V1ServiceSpec): Errors {
  if (spec.type === "ExternalName") return [];
  const { ipFamilies = [], clusterIPs = [] } = spec;
  const shape = validateAddresses(clusterIPs);
  const hasWrongAddress = shape.length > 0;
  return [
    ...validateBoth(spec),
    ...each(ipFamilies, "spec.ipFamilies", (family, path, index) => [
      ...oneOf(path, family, FAMILIES),
      ...when(ipFamilies.indexOf(family) < index, duplicate(path, family)),
    ]),
    ...oneOf("spec.ipFamilyPolicy", spec.ipFamilyPolicy, FAMILY_POLICIES),
    ...shape,
    ...when(clusterIPs.length > 2, invalid(LIST, clusterIPs, "may only hold up to 2 values")),
    ...(hasWrongAddress ? [] : validateFamilies(clusterIPs, ipFamilies)),
  ];
}

/** `clusterIP` is the first of `clusterIPs`. */
function validateBoth({ clusterIP, clusterIPs = [] }: V1ServiceSpec): Errors {
  if (!clusterIP)
    return when(
      clusterIPs.length > 0,
      invalid(LIST, clusterIPs, "must be empty when `clusterIP` is not specified"),
    );
  if (clusterIPs.length === 0) return [required(LIST)];
  return when(
    clusterIPs[0] !== clusterIP,
    invalid(LIST, clusterIPs, "first value must match `clusterIP`"),
  );
}

function validateAddresses(addresses: readonly string[]): Errors {
  return each(addresses, LIST, (address, path, index) => {
    if (index > 0 || address !== "None") return ipAddress(path, address);
    const rule = "'None' must be the first and only value";
    return when(addresses.length > 1, invalid(LIST, addresses, rule));
  });
}

function validateFamilies(addresses: readonly string[], families: readonly string[]): Errors {
  const [first = "", second] = addresses;
  const isOneFamily = second !== undefined && isIpv6(first) === isIpv6(second);
  const rule = "may specify no more than one IP for each IP family";
  return [
    ...when(isOneFamily, invalid(LIST, addresses, rule)),
    ...each(first === "None" ? [] : addresses, LIST, (address, path, index) => {
      const family = families[index];
      const isWrong =
        (family === "IPv4" && isIpv6(address)) || (family === "IPv6" && !isIpv6(address));
      const wanted = `expected an ${family} value as indicated by \`ipFamilies[${index}]\``;
      return when(isWrong, invalid(path, address, wanted));
    }),
  ];
}

/**
 * First addresses and families stay; second ones may come, and go with `SingleStack`.
 *
 * @spec k8s@1.36 validateUpgradeDowngradeClusterIPs, validateUpgradeDowngradeIPFamilies
 */
export function validateServiceChange({ spec = {} }: V1Service, stored: V1Service): Errors {
  const old = stored.spec ?? {};
  const balancerClass = when(
    spec.type === "LoadBalancer" &&
      old.type === "LoadBalancer" &&
      !equalSemantic(spec.loadBalancerClass, old.loadBalancerClass),
    invalid("spec.loadBalancerClass", spec.loadBalancerClass, FIELD_IMMUTABLE),
  );
  if (spec.type === "ExternalName" || old.type === "ExternalName") return balancerClass;
  const [isHeadless, wasHeadless] = [spec, old].map(({ clusterIPs }) => clusterIPs?.[0] === "None");
  return [
    ...(isHeadless && wasHeadless ? [] : validateListChange("clusterIPs", spec, old)),
    ...(isHeadless || wasHeadless ? [] : validateListChange("ipFamilies", spec, old)),
    ...balancerClass,
  ];
}

function validateListChange(
  list: "clusterIPs" | "ipFamilies",
  spec: V1ServiceSpec,
  old: V1ServiceSpec,
): Errors {
  const [after, before] = [spec[list] ?? [], old[list] ?? []];
  const what = list === "clusterIPs" ? "clusterIP" : "ipFamily";
  const field = `spec.${list}`;
  if (before.length > 0 && after.length === 0)
    return [invalid(`${field}[0]`, after, `primary ${what} can not be unset`)];
  const changed = before.flatMap((value, index) =>
    index < after.length && after[index] !== value
      ? [invalid(`${field}[${index}]`, after, "may not change once set")]
      : [],
  );
  const isReleased = before.length > after.length && spec.ipFamilyPolicy !== "SingleStack";
  const rule = `must be set to 'SingleStack' when releasing the secondary ${what}`;
  return [
    ...changed,
    ...when(isReleased, invalid("spec.ipFamilyPolicy", spec.ipFamilyPolicy, rule)),
  ];
}
