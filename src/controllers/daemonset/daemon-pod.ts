import { DaemonSet, generationOf } from "../../api/apps/daemon-set.ts";
import type { Node } from "../../api/core/node.ts";
import { matchesAnyTerm } from "../../api/core/node-selector-terms.ts";
import type { Pod } from "../../api/core/pod.ts";
import { isTolerated } from "../../api/core/tolerations.ts";
import { podFromTemplate } from "../../reconciler/pod-from-template.ts";

type PodSpec = NonNullable<Pod["spec"]>;
type Toleration = NonNullable<PodSpec["tolerations"]>[number];
type NodeAffinity = NonNullable<NonNullable<PodSpec["affinity"]>["nodeAffinity"]>;

/** The label of a Pod that says from which revision it is. */
export const HASH_LABEL = "controller-revision-hash";
const GENERATION_LABEL = "pod-template-generation";

/** Taints of nodes that are ill, or that take no ordinary Pods: daemons run there all the same. */
const TOLERATED: readonly (readonly [string, string])[] = [
  ["not-ready", "NoExecute"],
  ["unreachable", "NoExecute"],
  ["disk-pressure", "NoSchedule"],
  ["memory-pressure", "NoSchedule"],
  ["pid-pressure", "NoSchedule"],
  ["unschedulable", "NoSchedule"],
];

/** What a node has to do with a set. */
export interface Fit {
  /** A Pod should be started there. */
  readonly shouldRun: boolean;
  /** One that is there may stay. */
  readonly mayStay: boolean;
}

/** @spec k8s@1.36 pkg/controller/daemon/util AddOrUpdateDaemonPodTolerations */
export function tolerationsOf(spec: PodSpec | undefined): readonly Toleration[] {
  const isSame = (a: Toleration, b: Toleration): boolean =>
    a.key === b.key && a.effect === b.effect && a.operator === b.operator && !a.value;
  const more = spec?.hostNetwork ? [["network-unavailable", "NoSchedule"] as const] : [];
  const added = [...TOLERATED, ...more].map(([name, effect]) => ({
    key: `node.kubernetes.io/${name}`,
    operator: "Exists",
    effect,
  }));
  const own = spec?.tolerations ?? [];
  return [
    ...own.map((toleration) => added.find((other) => isSame(toleration, other)) ?? toleration),
    ...added.filter((toleration) => !own.some((other) => isSame(other, toleration))),
  ];
}

/** Whether a node is one of the set's. @spec k8s@1.36 pkg/controller/daemon NodeShouldRunDaemonPod */
export function fitOf(set: DaemonSet, node: Node): Fit {
  const spec = set.spec?.template?.spec;
  if (!isSelected(spec, node)) return { shouldRun: false, mayStay: false };
  const tolerations = tolerationsOf(spec);
  const refused = (node.spec?.taints ?? []).filter((taint) => !isTolerated(taint, tolerations));
  const has = (effect: string): boolean => refused.some((taint) => taint.effect === effect);
  return {
    shouldRun: !has("NoSchedule") && !has("NoExecute"),
    mayStay: !has("NoExecute"),
  };
}

function isSelected(spec: PodSpec | undefined, node: Node): boolean {
  const labels = node.metadata?.labels ?? {};
  const terms =
    spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  return (
    (!spec?.nodeName || spec.nodeName === node.metadata?.name) &&
    Object.entries(spec?.nodeSelector ?? {}).every(([key, value]) => labels[key] === value) &&
    (terms === undefined || matchesAnyTerm(terms, node))
  );
}

/** A Pod for one node: the scheduler binds it there, and nowhere else. @spec util.CreatePodTemplate */
export function newPod(set: DaemonSet, node: string, hash: string): Pod {
  const { metadata, ...pod } = podFromTemplate(set.spec?.template ?? {}, DaemonSet, set);
  const generation = generationOf(set);
  const labels = {
    ...metadata?.labels,
    ...(generation > 0 && { [GENERATION_LABEL]: String(generation) }),
    [HASH_LABEL]: hash,
  };
  const nodeAffinity = onNode(pod.spec?.affinity?.nodeAffinity, node);
  return {
    ...pod,
    metadata: { ...metadata, labels },
    spec: {
      ...pod.spec!,
      affinity: { ...pod.spec?.affinity, nodeAffinity },
      tolerations: tolerationsOf(pod.spec),
    },
  };
}

/** The node fits what the template asks for, so its name takes that place. @spec ReplaceDaemonSetPodNodeNameNodeAffinity */
function onNode(affinity: NodeAffinity | undefined, node: string): NodeAffinity {
  const term = { matchFields: [{ key: "metadata.name", operator: "In", values: [node] }] };
  return {
    ...affinity,
    requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [term] },
  };
}

/** The node that a Pod is on or meant for. @spec GetTargetNodeName */
export function targetNode({ spec }: Pod): string | undefined {
  if (spec?.nodeName) return spec.nodeName;
  const required = spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  const fields = (required?.nodeSelectorTerms ?? []).flatMap((term) => term.matchFields ?? []);
  const named = fields.find(({ key, operator }) => key === "metadata.name" && operator === "In");
  return named?.values?.length === 1 ? named.values[0] : undefined;
}

/** Made from the present template. Upstream compares a second label, with an address in memory: it never matches. @spec IsPodUpdated */
export function isUpdated(pod: Pod, hash: string): boolean {
  return pod.metadata?.labels?.[HASH_LABEL] === hash;
}
