import type {
  V1Container,
  V1ContainerPort,
  V1EphemeralContainer,
  V1PodSpec,
  V1Volume,
} from "../../gen/types.ts";
import {
  duplicate,
  errorsOfEach,
  forbidden,
  invalid,
  notFound,
  required,
} from "../machinery/field-error.ts";
import {
  each,
  fieldsSet,
  invalids,
  maybe,
  oneOf,
  portNumber,
  requiredName,
  requiredOneOf,
  requiredText,
  when,
  type Errors,
} from "../strategy/checks.ts";
import { validateDnsLabel, validatePortName } from "../machinery/names.ts";
import { validateEnvironment } from "./env-validation.ts";
import { validateMounts } from "./mount-validation.ts";
import { validateNoProbesOrHooks, validateProbesAndHooks } from "./probe-validation.ts";
import { validateResources } from "./resource-validation.ts";
import { validateSecurity } from "./security-validation.ts";

/** Fields that a container for debugging may not have: it can neither be relied upon nor counted. */
const NOT_EPHEMERAL: readonly (keyof V1EphemeralContainer)[] = [
  "lifecycle",
  "livenessProbe",
  "ports",
  "readinessProbe",
  "resizePolicy",
  "restartPolicy",
  "restartPolicyRules",
  "startupProbe",
];

const MESSAGE_POLICIES = "must be 'File' or 'FallbackToLogsOnError'";

/** All containers of a pod, of the three sorts. @spec k8s@1.36 pkg/apis/core/validation validateContainers */
export function validateContainers(spec: V1PodSpec, path: string): Errors {
  const graceSeconds = spec.terminationGracePeriodSeconds ?? 30;
  return [
    ...validateMain(spec, graceSeconds, `${path}.containers`),
    ...validateInit(spec, graceSeconds, `${path}.initContainers`),
    ...validateEphemeral(spec, `${path}.ephemeralContainers`),
  ];
}

function validateMain(spec: V1PodSpec, graceSeconds: number, field: string): Errors {
  const containers = spec.containers ?? [];
  if (containers.length === 0) return [required(field)];
  const seen = new Set<string>();
  return [
    ...each(containers, field, (container, path) => {
      const isKnown = seen.has(container.name);
      seen.add(container.name);
      return [
        ...validateCommon(container, spec, path),
        ...when(isKnown, duplicate(`${path}.name`, container.name)),
        ...validateProbesAndHooks(container, graceSeconds, path),
        ...validateRestartPolicy(container, path),
      ];
    }),
    ...validateHostPorts(containers, field, new Set()),
  ];
}

function validateInit(spec: V1PodSpec, graceSeconds: number, field: string): Errors {
  const seen = new Set((spec.containers ?? []).map(({ name }) => name));
  return each(spec.initContainers, field, (container, path, index) => {
    const isKnown = seen.has(container.name);
    seen.add(container.name);
    const isSidecar = container.restartPolicy === "Always";
    return [
      ...validateCommon(container, spec, path),
      ...when(isKnown, duplicate(`${path}.name`, container.name)),
      ...validateRestartPolicy(container, path),
      ...validateHostPorts([container], field, new Set(), index),
      ...(isSidecar
        ? validateProbesAndHooks(container, graceSeconds, path)
        : validateNoProbesOrHooks(container, path)),
    ];
  });
}

function validateEphemeral(spec: V1PodSpec, field: string): Errors {
  const others = [...(spec.containers ?? []), ...(spec.initContainers ?? [])];
  const names = new Set(others.map(({ name }) => name));
  const seen = new Set(names);
  return each(spec.ephemeralContainers, field, (container, path) => {
    const { name, targetContainerName: target } = container;
    const isKnown = seen.has(name);
    seen.add(name);
    const hasResources = fieldsSet(container.resources ?? {}).length > 0;
    const banned = fieldsSet(container).filter((part) =>
      (NOT_EPHEMERAL as readonly string[]).includes(part),
    );
    return [
      ...when(!!target && !names.has(target), notFound(`${path}.targetContainerName`, target)),
      ...validateCommon(container, spec, path),
      ...when(isKnown, duplicate(`${path}.name`, name)),
      ...[...banned, ...(hasResources ? ["resources"] : [])].map((part) =>
        forbidden(`${path}.${part}`, "cannot be set for an Ephemeral Container"),
      ),
      ...each(container.volumeMounts, `${path}.volumeMounts`, ({ subPath, subPathExpr }, mount) => [
        ...when(
          !!subPath,
          forbidden(`${mount}.subPath`, "cannot be set for an Ephemeral Container"),
        ),
        ...when(
          !!subPathExpr,
          forbidden(`${mount}.subPathExpr`, "cannot be set for an Ephemeral Container"),
        ),
      ]),
    ];
  });
}

/** What holds for every sort. */
function validateCommon(container: V1Container, spec: V1PodSpec, path: string): Errors {
  const volumes: readonly V1Volume[] = spec.volumes ?? [];
  const claims = new Set((spec.resourceClaims ?? []).map(({ name }) => name));
  return [
    ...requiredName(`${path}.name`, container.name, validateDnsLabel),
    ...requiredText(`${path}.image`, container.image),
    ...validateMessagePolicy(container.terminationMessagePolicy, path),
    ...validatePorts(container.ports, `${path}.ports`),
    ...validateEnvironment(container, path),
    ...validateMounts(container, volumes, path),
    ...requiredOneOf(`${path}.imagePullPolicy`, container.imagePullPolicy, [
      "Always",
      "IfNotPresent",
      "Never",
    ]),
    ...maybe(container.resources, (resources) =>
      validateResources(resources, claims, `${path}.resources`),
    ),
    ...maybe(container.securityContext, (context) =>
      validateSecurity(context, spec.hostUsers, `${path}.securityContext`),
    ),
    ...validateResizePolicy(container, path),
  ];
}

function validateMessagePolicy(policy: string | undefined, path: string): Errors {
  const field = `${path}.terminationMessagePolicy`;
  if (!policy) return [required(field, MESSAGE_POLICIES)];
  return when(
    policy !== "File" && policy !== "FallbackToLogsOnError",
    invalid(field, policy, MESSAGE_POLICIES),
  );
}

function validatePorts(ports: readonly V1ContainerPort[] | undefined, field: string): Errors {
  const names = new Set<string>();
  return each(ports, field, (port, path) => {
    const messages = port.name ? validatePortName(port.name) : [];
    const isKnown = !!port.name && messages.length === 0 && names.has(port.name);
    if (port.name) names.add(port.name);
    return [
      ...invalids(`${path}.name`, port.name, messages),
      ...when(isKnown, duplicate(`${path}.name`, port.name)),
      ...(port.containerPort
        ? portNumber(`${path}.containerPort`, port.containerPort)
        : [required(`${path}.containerPort`)]),
      ...(port.hostPort ? portNumber(`${path}.hostPort`, port.hostPort) : []),
      ...requiredOneOf(`${path}.protocol`, port.protocol, ["SCTP", "TCP", "UDP"]),
    ];
  });
}

/** No two containers that run at once take the same port of the node. */
function validateHostPorts(
  containers: readonly V1Container[],
  field: string,
  seen: Set<string>,
  firstIndex = 0,
): Errors {
  return errorsOfEach(containers, ({ ports }, index) =>
    each(ports, `${field}[${firstIndex + index}].ports`, (port, path) => {
      if (!port.hostPort) return [];
      const text = `${port.protocol ?? ""}/${port.hostIP ?? ""}/${port.hostPort}`;
      if (seen.has(text)) return [duplicate(`${path}.hostPort`, text)];
      seen.add(text);
      return [];
    }),
  );
}

function validateRestartPolicy(container: V1Container, path: string): Errors {
  const { restartPolicy, restartPolicyRules = [] } = container;
  return [
    ...oneOf(`${path}.restartPolicy`, restartPolicy, ["Always", "Never", "OnFailure"]),
    ...when(
      restartPolicyRules.length > 0 && restartPolicy === undefined,
      required(`${path}.restartPolicy`, "must specify restartPolicy when restart rules are used"),
    ),
    ...each(restartPolicyRules, `${path}.restartPolicyRules`, ({ action, exitCodes }, rule) => [
      ...requiredOneOf(`${rule}.action`, action, ["Restart", "RestartAllContainers"]),
      ...(exitCodes
        ? requiredOneOf(`${rule}.exitCodes.operator`, exitCodes.operator, ["In", "NotIn"])
        : [required(`${rule}.exitCodes`, "must be specified")]),
    ]),
  ];
}

function validateResizePolicy({ resizePolicy }: V1Container, path: string): Errors {
  const seen = new Set<string>();
  return each(resizePolicy, `${path}.resizePolicy`, ({ resourceName, restartPolicy }, item) => {
    const isKnown = seen.has(resourceName);
    seen.add(resourceName);
    return [
      ...requiredOneOf(item, resourceName, ["cpu", "memory"]),
      ...when(isKnown, duplicate(item, resourceName)),
      ...requiredOneOf(item, restartPolicy, ["NotRequired", "RestartContainer"]),
    ];
  });
}
