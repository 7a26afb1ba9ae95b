import { invalid, type FieldError } from "../../api/machinery/field-error.ts";
import { invalid as invalidObject } from "../../api/machinery/status-errors.ts";
import type { V1Service } from "../../gen/types.ts";
import { needsClusterIp } from "./service-needs.ts";

type Spec = NonNullable<V1Service["spec"]>;

const UNCONFIGURED = "not configured on this cluster";

/**
 * `spec` with its address families filled in. The cluster has one family: IPv4.
 *
 * @throws {StatusError} Invalid: a family or policy that needs IPv6.
 * @spec k8s@1.36 pkg/registry/core/service/storage/alloc.go initIPFamilyFields
 */
export function withFamilies(spec: Spec, before: Spec | undefined, name: string): Spec {
  if (!needsClusterIp(spec)) return spec;
  const isHeadless = spec.clusterIP === "None" || spec.clusterIPs?.[0] === "None";
  const withIps = withBothForms(spec);
  const isSelectorless = Object.keys(spec.selector ?? {}).length === 0;
  // Whoever writes the endpoints of such a Service chooses their families. @spec initIPFamilyFields
  if (isHeadless && isSelectorless && !before)
    return {
      ...withIps,
      ipFamilyPolicy: spec.ipFamilyPolicy ?? "RequireDualStack",
      ipFamilies: spec.ipFamilies?.length
        ? spec.ipFamilies
        : spec.ipFamilyPolicy === "SingleStack"
          ? ["IPv4"]
          : ["IPv4", "IPv6"],
    };
  const errors = isHeadless && isSelectorless ? [] : familyErrors(spec);
  if (errors.length > 0) throw invalidObject({ group: "", kind: "Service", name, errors });
  return {
    ...withIps,
    ipFamilyPolicy: spec.ipFamilyPolicy ?? before?.ipFamilyPolicy ?? "SingleStack",
    ipFamilies: spec.ipFamilies?.length ? spec.ipFamilies : (before?.ipFamilies ?? ["IPv4"]),
  };
}

/** `clusterIP` and `clusterIPs` say the same; older clients know only the first. */
function withBothForms(spec: Spec): Spec {
  const [first] = spec.clusterIPs ?? [];
  if (spec.clusterIP && first === undefined) return { ...spec, clusterIPs: [spec.clusterIP] };
  if (!spec.clusterIP && first !== undefined) return { ...spec, clusterIP: first };
  return spec;
}

function familyErrors(spec: Spec): FieldError[] {
  const errors: FieldError[] = [];
  if (spec.ipFamilyPolicy === "RequireDualStack")
    errors.push(
      invalid(
        "spec.ipFamilyPolicy",
        spec.ipFamilyPolicy,
        "this cluster is not configured for dual-stack services",
      ),
    );
  spec.ipFamilies?.forEach((family, at) => {
    if (family === "IPv6") errors.push(invalid(`spec.ipFamilies[${at}]`, family, UNCONFIGURED));
  });
  return errors;
}
