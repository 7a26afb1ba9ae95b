import type { ComposeService, Stack } from "../../api/compose/stack.ts";
import { canonicalQuantity } from "../../api/machinery/quantity.ts";
import type {
  ComposeV1alpha3Constraint,
  ComposeV1alpha3Constraints,
  ComposeV1alpha3HealthCheckConfig,
  ComposeV1alpha3Resource,
  V1Affinity,
  V1Container,
  V1ContainerPort,
  V1HostAlias,
  V1NodeSelectorRequirement,
  V1PodSpec,
  V1PodTemplateSpec,
  V1Probe,
  V1SecurityContext,
} from "../../gen/types.ts";
import { mountsOf } from "./mounts.ts";

/** Of a second: compose counts times in billionths. Doubled, every probe and grace period of a stack is half of what its file says. */
const NANOS = 1e9;

/**
 * Between two checks of a health check that does not say, and how long one may take: Docker's own figure. Doubled, what hangs is restarted a minute and a half
 * later.
 *
 * @spec compose-spec 05-services healthcheck
 */
const CHECK_SECONDS = 30;
/** Checks that must fail in a row, where nothing is said: Docker's own. Doubled, what hangs answers nobody for twice as long. */
const CHECK_FAILURES = 3;

/** The Pods of a service, all alike. */
export function podTemplateOf(
  service: ComposeService,
  labels: Readonly<Record<string, string>>,
  spec: Stack["spec"],
): V1PodTemplateSpec {
  const { labels: annotations } = service;
  return {
    metadata: { labels, ...(hasKeys(annotations) && { annotations }) },
    spec: podSpecOf(service, spec),
  };
}

function podSpecOf(service: ComposeService, spec: Stack["spec"]): V1PodSpec {
  const { volumes, volumeMounts } = mountsOf(service, spec);
  const { deploy, extra_hosts: hosts = [], hostname, stop_grace_period: grace } = service;
  const constraints = requirementsOf(deploy?.placement?.constraints ?? {});
  return {
    ...(constraints.length > 0 && { affinity: onNodes(constraints) }),
    containers: [{ ...containerOf(service), ...(volumeMounts.length > 0 && { volumeMounts }) }],
    ...(hosts.length > 0 && { hostAliases: aliasesOf(hosts) }),
    ...(hostname && { hostname }),
    ...(service.ipc === "host" && { hostIPC: true }),
    ...(service.pid === "host" && { hostPID: true }),
    ...(service.pull_secret && { imagePullSecrets: [{ name: service.pull_secret }] }),
    ...(grace !== undefined && { terminationGracePeriodSeconds: Math.ceil(grace / NANOS) }),
    ...(volumes.length > 0 && { volumes }),
  };
}

function containerOf(service: ComposeService): V1Container {
  const { name = "", image = "", entrypoint = [], command = [], ports = [], deploy } = service;
  const env = Object.entries(service.environment ?? {}).map(([key, value]) => ({
    name: key,
    value,
  }));
  const probe = probeOf(service.health_check);
  const security = securityOf(service);
  return {
    name,
    image,
    imagePullPolicy: service.pull_policy || (image.endsWith(":latest") ? "Always" : "IfNotPresent"),
    ...(entrypoint.length > 0 && { command: entrypoint }),
    ...(command.length > 0 && { args: command }),
    ...(env.length > 0 && { env }),
    ...(ports.length > 0 && { ports: containerPorts(ports) }),
    ...(probe && { livenessProbe: probe }),
    resources: {
      ...amounts("limits", deploy?.resources?.limits),
      ...amounts("requests", deploy?.resources?.reservations),
    },
    ...(hasKeys(security) && { securityContext: security }),
    ...(service.stdin_open && { stdin: true }),
    ...(service.tty && { tty: true }),
    ...(service.working_dir && { workingDir: service.working_dir }),
  };
}

/** `tcp` → `TCP` */
export function protocolOf(protocol: string | undefined): string {
  return protocol ? protocol.toUpperCase() : "TCP";
}

function containerPorts(ports: NonNullable<ComposeService["ports"]>): readonly V1ContainerPort[] {
  const all = new Map(
    ports.map(({ target = 0, protocol }) => [`${target}/${protocolOf(protocol)}`, target]),
  );
  return [...all].map(([text, containerPort]) => ({
    containerPort,
    protocol: text.slice(text.indexOf("/") + 1),
  }));
}

function amounts(
  what: "limits" | "requests",
  amount: ComposeV1alpha3Resource | undefined,
): { readonly [key: string]: { readonly [resource: string]: string } } {
  const { cpus, memory } = amount ?? {};
  const list = {
    ...(cpus && { cpu: canonicalQuantity(cpus) }),
    ...(memory && { memory: canonicalQuantity(String(memory)) }),
  };
  return hasKeys(list) ? { [what]: list } : {};
}

/** A container whose check fails is started again, as Docker does; it is not taken out of its Services. */
function probeOf(check: ComposeV1alpha3HealthCheckConfig | undefined): V1Probe | undefined {
  const [how, ...words] = check?.test ?? [];
  if (how === undefined || how === "NONE" || words.length === 0) return undefined;
  const command = how === "CMD-SHELL" ? ["sh", "-c", ...words] : words;
  return {
    exec: { command },
    failureThreshold: check?.retries || CHECK_FAILURES,
    periodSeconds: secondsOf(check?.interval),
    timeoutSeconds: secondsOf(check?.timeout),
  };
}

function secondsOf(nanos: number | undefined): number {
  return nanos ? Math.max(1, Math.round(nanos / NANOS)) : CHECK_SECONDS;
}

function securityOf(service: ComposeService): V1SecurityContext {
  const { cap_add: add = [], cap_drop: drop = [], user } = service;
  const hasCapabilities = add.length + drop.length > 0;
  return {
    ...(hasCapabilities && {
      capabilities: { ...(add.length > 0 && { add }), ...(drop.length > 0 && { drop }) },
    }),
    ...(service.privileged && { privileged: true }),
    ...(service.read_only && { readOnlyRootFilesystem: true }),
    ...(user !== undefined && { runAsUser: user }),
  };
}

/** `["a:1.2.3.4", "b:1.2.3.4"]`: one entry for each address. Of a name given twice the last counts. */
function aliasesOf(lines: readonly string[]): readonly V1HostAlias[] {
  const byName = new Map(
    lines.map((line): [string, string] => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon), line.slice(colon + 1)];
    }),
  );
  const addresses = [...new Set(byName.values())].sort();
  return addresses.map((ip) => ({
    ip,
    hostnames: [...byName].flatMap(([name, address]) => (address === ip ? [name] : [])).sort(),
  }));
}

/** Nodes that a constraint of Swarm names by its own words. */
const NODE_LABELS = {
  OperatingSystem: "kubernetes.io/os",
  Architecture: "kubernetes.io/arch",
  Hostname: "kubernetes.io/hostname",
} as const;

function requirementsOf(
  constraints: ComposeV1alpha3Constraints,
): readonly V1NodeSelectorRequirement[] {
  const named = Object.entries(NODE_LABELS).map(
    ([field, label]) => [label, constraints[field as keyof typeof NODE_LABELS]] as const,
  );
  return [...named, ...Object.entries(constraints.MatchLabels ?? {})].flatMap(
    ([key, constraint]) => (constraint ? [requirement(key, constraint)] : []),
  );
}

function requirement(
  key: string,
  { Operator, Value = "" }: ComposeV1alpha3Constraint,
): V1NodeSelectorRequirement {
  return { key, operator: Operator === "!=" ? "NotIn" : "In", values: [Value] };
}

function onNodes(matchExpressions: readonly V1NodeSelectorRequirement[]): V1Affinity {
  return {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [{ matchExpressions }],
      },
    },
  };
}

function hasKeys(map: object | undefined): boolean {
  return Object.keys(map ?? {}).length > 0;
}
