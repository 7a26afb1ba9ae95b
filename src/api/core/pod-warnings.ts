import type { V1Container, V1Pod, V1PodSpec } from "../../gen/types.ts";
import { validateDnsLabel } from "../machinery/names.ts";
import { remembered } from "../../base/recent.ts";
import { parseQuantity, quantityProblem } from "../machinery/quantity.ts";
import { SPECS_MAX } from "./pod-specs.ts";

const NANOS = 1_000_000_000n;

/** Labels of nodes that had other names once. @spec k8s@1.36 pkg/api/node deprecatedNodeLabels */
export const OLD_LABELS: Readonly<Record<string, string>> = {
  "beta.kubernetes.io/arch": 'deprecated since v1.14; use "kubernetes.io/arch" instead',
  "beta.kubernetes.io/os": 'deprecated since v1.14; use "kubernetes.io/os" instead',
  "beta.kubernetes.io/instance-type":
    'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
  "failure-domain.beta.kubernetes.io/region":
    'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
  "failure-domain.beta.kubernetes.io/zone":
    'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
};

/** What is allowed in a pod and most likely not meant. @spec k8s@1.36 pkg/api/pod warnings.go WarningsForPod */
export function podWarnings(pod: V1Pod): readonly string[] {
  const name = pod.metadata?.name;
  const messages = name ? validateDnsLabel(name) : [];
  const hostname =
    "metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended";
  const ofSpec = pod.spec ? warningsOfSpec(pod.spec) : [];
  return messages.length > 0 ? [`${hostname}: [${messages.join(" ")}]`, ...ofSpec] : ofSpec;
}

const warningsOfSpec = remembered(SPECS_MAX, (spec: V1PodSpec) => podSpecWarnings(spec, "spec"));

/** The same of a spec, in a pod or a template. */
export function podSpecWarnings(spec: V1PodSpec | undefined, path: string): readonly string[] {
  if (spec === undefined) return [];
  const lists = ["initContainers", "containers", "ephemeralContainers"] as const;
  const isNegative = (spec.terminationGracePeriodSeconds ?? 0) < 0;
  const negative = "must be >= 0; negative values are invalid and will be treated as 1";
  return [
    ...Object.keys(spec.nodeSelector ?? {}).flatMap((key) =>
      Object.hasOwn(OLD_LABELS, key) ? [`${path}.nodeSelector[${key}]: ${OLD_LABELS[key]}`] : [],
    ),
    ...(isNegative ? [`${path}.terminationGracePeriodSeconds: ${negative}`] : []),
    ...lists.flatMap((list) =>
      (spec[list] ?? []).flatMap((container, index) =>
        containerWarnings(container, `${path}.${list}[${index}]`),
      ),
    ),
  ];
}

function containerWarnings(container: V1Container, path: string): string[] {
  return [
    ...fractionWarnings(container, path),
    ...hiddenVariables(container, `${path}.env`),
    ...repeatedPorts(container, `${path}.ports`),
  ];
}

function fractionWarnings({ resources }: V1Container, path: string): string[] {
  return (["requests", "limits"] as const).flatMap((list) =>
    (["memory", "ephemeral-storage"] as const).flatMap((name) => {
      const amount = resources?.[list]?.[name];
      if (amount === undefined || quantityProblem(amount) !== undefined) return [];
      if (parseQuantity(amount).nanos % NANOS === 0n) return [];
      const rule = `fractional byte value "${amount}" is invalid, must be an integer`;
      return [`${path}.resources.${list}[${name}]: ${rule}`];
    }),
  );
}

function hiddenVariables({ env = [] }: V1Container, path: string): string[] {
  const known = new Set<string>();
  return env.flatMap(({ name }, index) => {
    const isHiding = known.has(name);
    known.add(name);
    const what = `hides previous definition of ${JSON.stringify(name)}, which may be dropped when using apply`;
    return isHiding ? [`${path}[${index}]: ${what}`] : [];
  });
}

function repeatedPorts({ ports = [] }: V1Container, path: string): string[] {
  const known = new Map<string, number>();
  return ports.flatMap((port, index) => {
    const key = `${port.containerPort}/${port.protocol}`;
    const earlier = known.get(key) ?? index;
    known.set(key, earlier);
    const isSame = earlier < index && ports[earlier]?.hostPort === port.hostPort;
    return isSame ? [`${path}[${index}]: duplicate port definition with ${path}[${earlier}]`] : [];
  });
}
