import type { V1Service, V1ServicePort, V1ServiceSpec } from "../../gen/types.ts";
import { duplicate, forbidden, invalid, required } from "../machinery/field-error.ts";
import {
  validateDnsLabel,
  validateDnsSubdomain,
  validateQualifiedName,
} from "../machinery/names.ts";
import {
  each,
  invalids,
  ipAddress,
  maybe,
  oneOf,
  portNumber,
  requiredOneOf,
  requiredText,
  unique,
  when,
  type Errors,
} from "../strategy/checks.ts";
import { ipv4Octets, isCidr } from "../strategy/ip.ts";
import { validateLabels } from "../machinery/object-meta-validation.ts";
import { validatePort } from "./probe-validation.ts";
import { validateClusterIps } from "./service-ip-validation.ts";
import { isExternallyReachable } from "./service-defaults.ts";
import { hasHealthCheckPort } from "./service-update.ts";

const TYPES = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
const POLICIES = ["Cluster", "Local"];

/** Clients stay with an endpoint for at most a day. @spec MaxClientIPServiceAffinitySeconds */
const AFFINITY_SECONDS_MAX = 86400;

/** The kubelet's own port, which a balancer must not open to the world. */
const KUBELET_PORT = 10250;

const ONLY_BALANCED = "may only be used when `type` is 'LoadBalancer'";
const CIDR_RULE = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";

/** Whether the Service has names but no address of its own. */
export function isHeadless({ clusterIP, clusterIPs }: V1ServiceSpec): boolean {
  return (clusterIPs?.length ? clusterIPs[0] : clusterIP) === "None";
}

/** @spec k8s@1.36 pkg/apis/core/validation ValidateService */
export function validateService(service: V1Service): Errors {
  const spec = service.spec ?? {};
  return [
    ...when(
      (spec.ports ?? []).length === 0 && !isHeadless(spec) && spec.type !== "ExternalName",
      required("spec.ports"),
    ),
    ...validateType(spec),
    ...validatePorts(spec),
    ...validateLabels(spec.selector, "spec.selector"),
    ...validateAffinity(spec),
    ...validateClusterIps(spec),
    ...each(spec.externalIPs, "spec.externalIPs", validateExternalIp),
    ...requiredOneOf("spec.type", spec.type, TYPES),
    ...validateBalancer(spec),
    ...validateTrafficPolicies(spec),
  ];
}

function validateType(spec: V1ServiceSpec): Errors {
  const noHead = (name: string): Errors =>
    when(
      isHeadless(spec),
      invalid("spec.clusterIPs[0]", "None", `may not be set to 'None' for ${name} services`),
    );
  switch (spec.type) {
    case "LoadBalancer":
      return [...validateKubeletPort(spec), ...noHead("LoadBalancer")];
    case "NodePort":
      return noHead("NodePort");
    case "ExternalName":
      return validateExternalName(spec);
    default:
      return [];
  }
}

function validateKubeletPort({ ports }: V1ServiceSpec): Errors {
  const rule = `may not expose port ${KUBELET_PORT} externally since it is used by kubelet`;
  return each(ports, "spec.ports", ({ port }, path) =>
    when(port === KUBELET_PORT, invalid(path, port, rule)),
  );
}

function validateExternalName(spec: V1ServiceSpec): Errors {
  const name = (spec.externalName ?? "").replace(/\.$/, "");
  const no = (field: "clusterIPs" | "ipFamilies" | "ipFamilyPolicy"): Errors =>
    when(
      (spec[field] ?? "").length > 0,
      forbidden(`spec.${field}`, "may not be set for ExternalName services"),
    );
  return [
    ...no("clusterIPs"),
    ...no("ipFamilies"),
    ...no("ipFamilyPolicy"),
    ...(name
      ? invalids("spec.externalName", name, validateDnsSubdomain(name))
      : [required("spec.externalName")]),
  ];
}

function validatePorts(spec: V1ServiceSpec): Errors {
  const ports = spec.ports ?? [];
  const field = (index: number): string => `spec.ports[${index}]`;
  return [
    ...each(ports, "spec.ports", (port, path) => validateServicePort(port, ports.length > 1, path)),
    ...unique(
      ports,
      (index) => `${field(index)}.name`,
      ({ name }) => name,
    ),
    ...each(ports, "spec.ports", ({ nodePort }, path) =>
      when(
        spec.type === "ClusterIP" && !!nodePort,
        forbidden(`${path}.nodePort`, "may not be used when `type` is 'ClusterIP'"),
      ),
    ),
    ...unique(ports, field, ({ nodePort, protocol }) =>
      nodePort ? `${protocol}/${nodePort}` : undefined,
    ).map((error) =>
      duplicate(`${error.field}.nodePort`, Number(String(error.badValue).split("/")[1])),
    ),
    ...unique(ports, field, ({ port, protocol }) => `${protocol}/${port}`),
  ];
}

function validateServicePort(port: V1ServicePort, needsName: boolean, path: string): Errors {
  return [
    ...(port.name
      ? invalids(`${path}.name`, port.name, validateDnsLabel(port.name))
      : when(needsName, required(`${path}.name`))),
    ...portNumber(`${path}.port`, port.port),
    ...requiredOneOf(`${path}.protocol`, port.protocol, ["SCTP", "TCP", "UDP"]),
    ...validatePort(port.targetPort, `${path}.targetPort`),
    ...maybe(port.appProtocol, (name) =>
      invalids(`${path}.appProtocol`, name, validateQualifiedName(name)),
    ),
  ];
}

function validateAffinity({ sessionAffinity, sessionAffinityConfig }: V1ServiceSpec): Errors {
  const field = "spec.sessionAffinityConfig";
  const known = requiredOneOf("spec.sessionAffinity", sessionAffinity, ["ClientIP", "None"]);
  if (sessionAffinity === "None") {
    const rule = "must not be set when session affinity is None";
    return [...known, ...when(sessionAffinityConfig !== undefined, forbidden(field, rule))];
  }
  if (sessionAffinity !== "ClientIP") return known;
  const seconds = sessionAffinityConfig?.clientIP?.timeoutSeconds;
  const path = `${field}.clientIP.timeoutSeconds`;
  if (seconds === undefined)
    return [...known, required(path, "when session affinity type is ClientIP")];
  const rule = `must be greater than 0 and less than ${AFFINITY_SECONDS_MAX}`;
  return when(seconds <= 0 || seconds > AFFINITY_SECONDS_MAX, invalid(path, seconds, rule));
}

/** Addresses that every machine has for itself. @spec ValidateNonSpecialIP */
export function validateNonSpecialIp(field: string, ip: string): Errors {
  const [first, second] = ipv4Octets(ip) ?? [];
  const lower = ip.toLowerCase();
  const rules: readonly [boolean, string][] = [
    [ip === "0.0.0.0" || ip === "::", `may not be unspecified (${ip})`],
    [first === 127 || ip === "::1", "may not be in the loopback range (127.0.0.0/8, ::1/128)"],
    [
      (first === 169 && second === 254) || /^fe[89ab]/.test(lower),
      "may not be in the link-local range (169.254.0.0/16, fe80::/10)",
    ],
    [
      (first === 224 && second === 0 && ip.startsWith("224.0.0.")) || /^ff.2:/.test(lower),
      "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)",
    ],
  ];
  return rules.flatMap(([isBroken, rule]) => when(isBroken, invalid(field, ip, rule)));
}

function validateExternalIp(ip: string, path: string): Errors {
  const shape = ipAddress(path, ip);
  return shape.length > 0 ? shape : validateNonSpecialIp(path, ip);
}

function validateBalancer(spec: V1ServiceSpec): Errors {
  const isBalanced = spec.type === "LoadBalancer";
  const ranges = spec.loadBalancerSourceRanges ?? [];
  const only = (field: keyof V1ServiceSpec): Errors =>
    when(!isBalanced && spec[field] !== undefined, forbidden(`spec.${field}`, ONLY_BALANCED));
  return [
    ...when(
      !isBalanced && ranges.length > 0,
      forbidden("spec.loadBalancerSourceRanges", ONLY_BALANCED),
    ),
    ...each(ranges, "spec.loadBalancerSourceRanges", (range, path) =>
      when(!isCidr(range.trim()), invalid(path, range, CIDR_RULE)),
    ),
    ...only("allocateLoadBalancerNodePorts"),
    ...only("loadBalancerClass"),
    ...maybe(isBalanced ? spec.loadBalancerClass : undefined, (name) =>
      invalids("spec.loadBalancerClass", name, validateQualifiedName(name)),
    ),
  ];
}

function validateTrafficPolicies(spec: V1ServiceSpec): Errors {
  const { externalTrafficPolicy: external, healthCheckNodePort: health } = spec;
  const onlyExternal = "may only be set for externally-accessible services";
  const onlyHealth =
    "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
  return [
    ...(isExternallyReachable(spec)
      ? requiredOneOf("spec.externalTrafficPolicy", external, POLICIES)
      : when(!!external, invalid("spec.externalTrafficPolicy", external, onlyExternal))),
    ...when(
      !!health && !hasHealthCheckPort(spec),
      invalid("spec.healthCheckNodePort", health, onlyHealth),
    ),
    ...oneOf("spec.internalTrafficPolicy", spec.internalTrafficPolicy, POLICIES),
    ...oneOf("spec.trafficDistribution", spec.trafficDistribution, [
      "PreferClose",
      "PreferSameNode",
      "PreferSameZone",
    ]),
  ];
}

/** @spec ValidateLoadBalancerStatus */
export function validateServiceStatus({ status }: V1Service): Errors {
  return each(
    status?.loadBalancer?.ingress,
    "status.loadBalancer.ingress",
    ({ ip, hostname, ipMode }, path) => [
      ...(ip ? ipAddress(`${path}.ip`, ip) : []),
      ...when(
        !ip && ipMode !== undefined,
        forbidden(`${path}.ipMode`, "may not be specified when `ip` is not set"),
      ),
      ...(ip ? requiredText(`${path}.ipMode`, ipMode, "must be specified when `ip` is set") : []),
      ...(ip && ipMode ? oneOf(`${path}.ipMode`, ipMode, ["Proxy", "VIP"]) : []),
      ...(hostname ? invalids(`${path}.hostname`, hostname, validateDnsSubdomain(hostname)) : []),
    ],
  );
}
