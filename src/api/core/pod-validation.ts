import type {
  V1HostAlias,
  V1Pod,
  V1PodDNSConfig,
  V1PodSchedulingGate,
  V1PodSpec,
} from "../../gen/types.ts";
import { remembered } from "../../base/recent.ts";
import { duplicate, forbidden, invalid, required } from "../machinery/field-error.ts";
import {
  validateDnsLabel,
  validateDnsSubdomain,
  validateDnsSubdomainWithUnderscore,
  validateQualifiedName,
} from "../machinery/names.ts";
import {
  INT32_MAX,
  each,
  inRange,
  invalids,
  ipAddress,
  maybe,
  oneOf,
  requiredOneOf,
  when,
  type Errors,
} from "../strategy/checks.ts";
import { validateLabels } from "../machinery/object-meta-validation.ts";
import { validateAffinity, validateSpread, validateTolerations } from "./affinity-validation.ts";
import { validateContainers } from "./container-validation.ts";
import { SPECS_MAX } from "./pod-specs.ts";
import { validatePodResources } from "./pod-resources.ts";
import { validateAmounts } from "./resource-validation.ts";
import { validatePodSecurity } from "./security-validation.ts";
import { validateVolumes } from "./volume-validation.ts";

/** Limits of the resolver in containers. @spec k8s@1.36 MaxDNSNameservers, MaxDNSSearchPaths, MaxDNSSearchListChars */
const DNS_NAMESERVERS_MAX = 3;
const DNS_SEARCHES_MAX = 32;
const DNS_SEARCH_CHARACTERS_MAX = 2048;

/** A pod as it may be created or become. @spec k8s@1.36 pkg/apis/core/validation validatePodMetadataAndSpec */
export function validatePod(pod: V1Pod): Errors {
  const spec = pod.spec ?? { containers: [] };
  // A claim made for the pod is named after it; all else is the same for every pod of a template.
  const isNameless = !spec.volumes?.some((volume) => volume.ephemeral);
  return isNameless ? errorsOfSpec(spec) : errorsOf(spec, pod.metadata?.name);
}

const errorsOfSpec = remembered(SPECS_MAX, (spec: V1PodSpec) => errorsOf(spec, undefined));

function errorsOf(spec: V1PodSpec, podName: string | undefined): Errors {
  return [
    ...validatePodSpec(spec, "spec", podName),
    ...validateTokens(spec),
    ...validateImageSpace(spec),
    ...validateNodeName(spec),
  ];
}

/** What only a new pod must satisfy. @spec ValidatePodCreate */
export function validateNewPod(pod: V1Pod): Errors {
  return when(
    (pod.spec?.ephemeralContainers ?? []).length > 0,
    forbidden("spec.ephemeralContainers", "cannot be set on create"),
  );
}

/** The spec of a pod (then with its name) or of a template. @spec ValidatePodSpec */
export function validatePodSpec(spec: V1PodSpec, path: string, podName?: string): Errors {
  return [
    ...validateVolumes(spec.volumes, podName, `${path}.volumes`),
    ...validateContainers(spec, path),
    ...requiredOneOf(`${path}.restartPolicy`, spec.restartPolicy, ["Always", "OnFailure", "Never"]),
    ...requiredOneOf(`${path}.dnsPolicy`, spec.dnsPolicy, [
      "ClusterFirstWithHostNet",
      "ClusterFirst",
      "Default",
      "None",
    ]),
    ...validateLabels(spec.nodeSelector, `${path}.nodeSelector`),
    ...validatePodSecurity(spec, path),
    ...maybe(spec.affinity, (affinity) => validateAffinity(affinity, `${path}.affinity`)),
    ...validateDns(spec, `${path}.dnsConfig`),
    ...each(spec.readinessGates, `${path}.readinessGates`, ({ conditionType }, gate) =>
      invalids(`${gate}.conditionType`, conditionType, validateQualifiedName(conditionType ?? "")),
    ),
    ...validateGates(spec.schedulingGates, `${path}.schedulingGates`),
    ...validateSpread(spec.topologySpreadConstraints, `${path}.topologySpreadConstraints`),
    ...validateSpecNames(spec, path),
    ...inRange(`${path}.activeDeadlineSeconds`, spec.activeDeadlineSeconds, 1, INT32_MAX),
    ...validateTolerations(spec.tolerations, `${path}.tolerations`),
    ...each(spec.hostAliases, `${path}.hostAliases`, validateHostAlias),
    ...oneOf(`${path}.preemptionPolicy`, spec.preemptionPolicy, ["PreemptLowerPriority", "Never"]),
    ...maybe(spec.overhead, (overhead) => validateAmounts(overhead, `${path}.overhead`)),
    ...maybe(spec.resources, () => validatePodResources(spec, `${path}.resources`)),
    ...maybe(spec.os, ({ name }) => requiredOneOf(`${path}.os.name`, name, ["linux", "windows"])),
    ...validateClaims(spec, `${path}.resourceClaims`),
  ];
}

function validateSpecNames(spec: V1PodSpec, path: string): Errors {
  const named = (
    part: "serviceAccountName" | "nodeName" | "priorityClassName" | "runtimeClassName",
  ): Errors => {
    const name = spec[part];
    return name ? invalids(`${path}.${part}`, name, validateDnsSubdomain(name)) : [];
  };
  const label = (part: "hostname" | "subdomain"): Errors => {
    const name = spec[part];
    return name ? invalids(`${path}.${part}`, name, validateDnsLabel(name)) : [];
  };
  return [
    ...named("serviceAccountName"),
    ...named("nodeName"),
    ...label("hostname"),
    ...label("subdomain"),
    ...named("priorityClassName"),
    ...named("runtimeClassName"),
  ];
}

function validateGates(gates: readonly V1PodSchedulingGate[] | undefined, field: string): Errors {
  const seen = new Set<string>();
  return each(gates, field, ({ name }, path) => {
    const isKnown = seen.has(name);
    seen.add(name);
    return [
      ...invalids(path, name, validateQualifiedName(name ?? "")),
      ...when(isKnown, duplicate(path, name)),
    ];
  });
}

function validateDns({ dnsPolicy, dnsConfig }: V1PodSpec, field: string): Errors {
  if (dnsPolicy === "None") {
    if (dnsConfig === undefined)
      return [required(field, "must provide `dnsConfig` when `dnsPolicy` is None")];
    if ((dnsConfig.nameservers ?? []).length === 0) {
      const rule = "must provide at least one DNS nameserver when `dnsPolicy` is None";
      return [required(`${field}.nameservers`, rule)];
    }
  }
  return maybe(dnsConfig, (config) => validateDnsConfig(config, field));
}

function validateDnsConfig(config: V1PodDNSConfig, field: string): Errors {
  const { nameservers = [], searches = [], options = [] } = config;
  const searchRule = `must not have more than ${DNS_SEARCH_CHARACTERS_MAX} characters (including spaces) in the search list`;
  return [
    ...when(
      nameservers.length > DNS_NAMESERVERS_MAX,
      invalid(
        `${field}.nameservers`,
        nameservers,
        `must not have more than ${DNS_NAMESERVERS_MAX} nameservers`,
      ),
    ),
    ...each(nameservers, `${field}.nameservers`, (server, path) => ipAddress(path, server)),
    ...when(
      searches.length > DNS_SEARCHES_MAX,
      invalid(
        `${field}.searches`,
        searches,
        `must not have more than ${DNS_SEARCHES_MAX} search paths`,
      ),
    ),
    ...when(
      searches.join(" ").length > DNS_SEARCH_CHARACTERS_MAX,
      invalid(`${field}.searches`, searches, searchRule),
    ),
    ...each(searches, `${field}.searches`, (search, path) =>
      search === "."
        ? []
        : invalids(path, search, validateDnsSubdomainWithUnderscore(search.replace(/\.$/, ""))),
    ),
    ...each(options, `${field}.options`, ({ name }, path) =>
      when(!name, required(path, "must not be empty")),
    ),
  ];
}

function validateHostAlias({ ip, hostnames }: V1HostAlias, path: string): Errors {
  return [
    ...ipAddress(`${path}.ip`, ip ?? ""),
    ...each(hostnames, `${path}.hostnames`, (name, item) =>
      invalids(item, name, validateDnsSubdomain(name)),
    ),
  ];
}

function validateClaims({ resourceClaims }: V1PodSpec, field: string): Errors {
  const seen = new Set<string>();
  return each(resourceClaims, field, (claim, path) => {
    const { name, resourceClaimName, resourceClaimTemplateName } = claim;
    const isKnown = seen.has(name);
    seen.add(name);
    const count = [resourceClaimName, resourceClaimTemplateName].filter(Boolean).length;
    const rule =
      count === 0
        ? "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`"
        : "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified";
    return [
      ...invalids(`${path}.name`, name, validateDnsLabel(name ?? "")),
      ...when(isKnown, duplicate(`${path}.name`, name)),
      ...when(count !== 1, invalid(path, claim, rule)),
    ];
  });
}

/** A projected token speaks for the pod's account, so there must be one. */
function validateTokens(spec: V1PodSpec): Errors {
  if (spec.serviceAccountName) return [];
  return each(spec.volumes, "spec.volumes", ({ projected }, volume) =>
    each(projected?.sources, `${volume}.projected.sources`, ({ serviceAccountToken }, source) =>
      when(
        serviceAccountToken !== undefined,
        forbidden(
          `${source}.serviceAccountToken`,
          "must not be specified when serviceAccountName is not set",
        ),
      ),
    ),
  );
}

/** Templates may have such images, because old ones do. */
function validateImageSpace(spec: V1PodSpec): Errors {
  const rule = "must not have leading or trailing whitespace";
  return (["containers", "initContainers", "ephemeralContainers"] as const).flatMap((list) =>
    each<{ readonly image?: string }>(spec[list], `spec.${list}`, ({ image }, path) =>
      when(!!image && image.trim() !== image, invalid(`${path}.image`, image, rule)),
    ),
  );
}

function validateNodeName({ nodeName, schedulingGates }: V1PodSpec): Errors {
  return when(
    !!nodeName && (schedulingGates ?? []).length > 0,
    forbidden("spec.nodeName", "cannot be set until all schedulingGates have been cleared"),
  );
}
