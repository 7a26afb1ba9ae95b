import type {
  ComposeV1alpha3Constraint,
  ComposeV1alpha3Constraints,
  ComposeV1alpha3DeployConfig,
  ComposeV1alpha3InternalPort,
  ComposeV1alpha3Resource,
  ComposeV1alpha3ServiceConfig,
  ComposeV1alpha3ServicePortConfig,
  ComposeV1alpha3ServiceVolumeConfig,
  ComposeV1alpha3Stack,
} from "../../gen/types.ts";
import { duplicate, forbidden, invalid, required } from "../machinery/field-error.ts";
import {
  validateDns1035Label,
  validateDnsLabel,
  validateDnsSubdomain,
  validateLabelValue,
  validatePortNumber,
  validateQualifiedName,
  validateRelaxedEnvName,
} from "../machinery/names.ts";
import { quantityProblem } from "../machinery/quantity.ts";
import {
  each,
  type Errors,
  invalids,
  maybe,
  nonNegative,
  oneOf,
  requiredName,
  requiredText,
  when,
} from "../strategy/checks.ts";
import { ID_LABEL, publishedName, randomPortsName, serviceLabels } from "./labels.ts";

/**
 * Everything that would keep a stack from being turned into objects, each with its place.
 *
 * @spec compose-on-kubernetes internal/registry strategyvalidate.go (object names, dry run)
 */
export function validateStack({ metadata, spec }: ComposeV1alpha3Stack): Errors {
  const services = spec?.services ?? [];
  const made = services.flatMap(madeServices);
  const isTaken = (name: string): boolean => made.indexOf(name) !== made.lastIndexOf(name);
  return [
    ...when(services.length === 0, required("spec.services", "a stack has at least one service")),
    ...each(services, "spec.services", (service, field) => [
      ...when(madeServices(service).some(isTaken), duplicate(`${field}.name`, service.name)),
      ...validateService(metadata?.name ?? "", service, field),
    ]),
    ...namesOf("secrets", spec?.secrets),
    ...namesOf("configs", spec?.configs),
  ];
}

/** Names of the Services that are made for a service. */
function madeServices({ name = "", ports = [] }: ComposeV1alpha3ServiceConfig): readonly string[] {
  return [
    name,
    ...(ports.some(({ published }) => published) ? [publishedName(name)] : []),
    ...(ports.some(({ published }) => !published) ? [randomPortsName(name)] : []),
  ];
}

function namesOf(what: string, named: Readonly<Record<string, unknown>> | undefined): Errors {
  return Object.keys(named ?? {}).flatMap((name) =>
    invalids(`spec.${what}[${name}]`, name, validateDnsSubdomain(name)),
  );
}

function validateService(
  stack: string,
  service: ComposeV1alpha3ServiceConfig,
  field: string,
): Errors {
  const { name = "", deploy = {}, image, ports, volumes } = service;
  return [
    ...requiredName(`${field}.name`, name, validateDns1035Label),
    ...validateMadeNames(stack, service, field),
    ...requiredText(`${field}.image`, image),
    ...validateDeploy(deploy, `${field}.deploy`),
    ...each(ports, `${field}.ports`, validatePort),
    ...each(service.internal_ports, `${field}.internal_ports`, validateInternalPort),
    ...oneOf(`${field}.internal_service_type`, service.internal_service_type, [
      "",
      "ClusterIP",
      "Headless",
    ]),
    ...each(volumes, `${field}.volumes`, validateVolume),
    ...when(
      deploy.mode === "global" && (volumes ?? []).some(({ type }) => type === "volume"),
      forbidden(`${field}.volumes`, "a global service cannot have volumes of its own"),
    ),
    ...Object.keys(service.environment ?? {}).flatMap((key) =>
      invalids(`${field}.environment[${key}]`, key, validateRelaxedEnvName(key)),
    ),
    ...each(service.extra_hosts, `${field}.extra_hosts`, (line, path) =>
      when(!/^[^:]+:./.test(line), invalid(path, line, "must be NAME:ADDRESS")),
    ),
    ...maybe(service.hostname || undefined, (text) =>
      invalids(`${field}.hostname`, text, validateDnsLabel(text)),
    ),
    ...oneOf(`${field}.pull_policy`, service.pull_policy, ["", "Always", "IfNotPresent", "Never"]),
    ...nonNegative(`${field}.stop_grace_period`, service.stop_grace_period),
  ];
}

/** The label that is made of the stack's name and the service's, and the names of Services. */
function validateMadeNames(
  stack: string,
  service: ComposeV1alpha3ServiceConfig,
  field: string,
): Errors {
  const { name = "" } = service;
  if (validateDns1035Label(name).length > 0) return [];
  const id = serviceLabels(stack, name)[ID_LABEL]!;
  const messages = [
    ...validateLabelValue(id).map((text) => `label ${ID_LABEL} "${id}": ${text}`),
    ...madeServices(service).flatMap((made) =>
      validateDns1035Label(made).map((text) => `Service "${made}": ${text}`),
    ),
  ];
  return invalids(`${field}.name`, name, messages);
}

function validateDeploy(deploy: ComposeV1alpha3DeployConfig, field: string): Errors {
  const { resources, placement, restart_policy: restart, update_config: update } = deploy;
  return [
    ...oneOf(`${field}.mode`, deploy.mode, ["", "global", "replicated"]),
    ...nonNegative(`${field}.replicas`, deploy.replicas),
    ...nonNegative(`${field}.update_config.paralellism`, update?.paralellism),
    ...Object.entries(deploy.labels ?? {}).flatMap(([key, value]) => [
      ...invalids(`${field}.labels`, key, validateQualifiedName(key)),
      ...invalids(`${field}.labels[${key}]`, value, validateLabelValue(value)),
    ]),
    ...oneOf(`${field}.restart_policy.condition`, restart?.condition, [
      "",
      "any",
      "none",
      "on-failure",
    ]),
    ...validateAmount(resources?.limits, `${field}.resources.limits`),
    ...validateAmount(resources?.reservations, `${field}.resources.reservations`),
    ...maybe(placement?.constraints, (constraints) =>
      validateConstraints(constraints, `${field}.placement.constraints`),
    ),
  ];
}

function validateAmount(amount: ComposeV1alpha3Resource | undefined, field: string): Errors {
  const problem = amount?.cpus ? quantityProblem(amount.cpus) : undefined;
  return [
    ...when(problem !== undefined, invalid(`${field}.cpus`, amount?.cpus, problem ?? "")),
    ...nonNegative(`${field}.memory`, amount?.memory),
  ];
}

function validateConstraints(constraints: ComposeV1alpha3Constraints, field: string): Errors {
  const { MatchLabels = {}, ...plain } = constraints;
  const check = (constraint: ComposeV1alpha3Constraint | undefined, path: string): Errors =>
    maybe(constraint, ({ Operator = "" }) => oneOf(`${path}.Operator`, Operator, ["!=", "=="]));
  return [
    ...Object.entries(plain).flatMap(([key, constraint]) => check(constraint, `${field}.${key}`)),
    ...Object.entries(MatchLabels).flatMap(([key, constraint]) => [
      ...invalids(`${field}.MatchLabels`, key, validateQualifiedName(key)),
      ...check(constraint, `${field}.MatchLabels[${key}]`),
    ]),
  ];
}

function validatePort(port: ComposeV1alpha3ServicePortConfig, field: string): Errors {
  const { target = 0, published = 0, protocol } = port;
  return [
    ...invalids(`${field}.target`, target, validatePortNumber(target)),
    ...(published === 0
      ? []
      : invalids(`${field}.published`, published, validatePortNumber(published))),
    ...oneOf(`${field}.protocol`, protocol, ["", "sctp", "tcp", "udp"]),
  ];
}

function validateInternalPort(inner: ComposeV1alpha3InternalPort, field: string): Errors {
  const { port = 0, protocol } = inner;
  return [
    ...invalids(`${field}.port`, port, validatePortNumber(port)),
    ...oneOf(`${field}.protocol`, protocol, ["", "SCTP", "TCP", "UDP"]),
  ];
}

function validateVolume(volume: ComposeV1alpha3ServiceVolumeConfig, field: string): Errors {
  const { type = "", source = "", target } = volume;
  return [
    ...oneOf(`${field}.type`, type, ["bind", "tmpfs", "volume"]),
    ...requiredText(`${field}.target`, target),
    ...when(
      type === "bind" && !source.startsWith("/"),
      invalid(`${field}.source`, source, "must be an absolute path of the node"),
    ),
    ...(type === "volume" && source !== ""
      ? invalids(`${field}.source`, source, validateDnsLabel(source))
      : []),
  ];
}
