import { StatefulSet } from "../../api/apps/stateful-set.ts";
import type { Pod } from "../../api/core/pod.ts";
import { isBeingDeleted } from "../../reconciler/ownership.ts";
import { podFromTemplate, type PodTemplate } from "../../reconciler/pod-from-template.ts";
import { isPodAvailable, isPodReady } from "../../reconciler/pod-state.ts";
import type { Instant } from "../../base/clock.ts";

const POD_NAME = "statefulset.kubernetes.io/pod-name";
const POD_INDEX = "apps.kubernetes.io/pod-index";
const REVISION = "controller-revision-hash";

/** Ordinals are int32; a longer number is no ordinal. */
const ORDINAL = /^(.*)-([0-9]{1,10})$/;
const ORDINAL_MAX = 2 ** 31 - 1;

/** `spec.ordinals.start`. */
export function startOf(set: StatefulSet): number {
  return set.spec?.ordinals?.start ?? 0;
}

/** `spec.replicas`. */
export function replicasOf(set: StatefulSet): number {
  return set.spec?.replicas ?? 1;
}

/** The name of the Pod with an ordinal: it stays over all its lives. */
export function podName(set: StatefulSet, ordinal: number): string {
  return `${set.metadata?.name}-${ordinal}`;
}

/** The ordinal in a Pod's name; `undefined`: the Pod is no member of the set. @spec isMemberOf, getOrdinal */
export function ordinalOf(set: StatefulSet, pod: Pod): number | undefined {
  const [, parent, digits] = ORDINAL.exec(pod.metadata?.name ?? "") ?? [];
  const ordinal = Number(digits);
  return parent === set.metadata?.name && ordinal <= ORDINAL_MAX ? ordinal : undefined;
}

/** The set wants a Pod of that ordinal. */
export function isInRange(set: StatefulSet, ordinal: number): boolean {
  return ordinal >= startOf(set) && ordinal < startOf(set) + replicasOf(set);
}

/** The name of the claim that the Pod with an ordinal has from a template. */
export function claimName(set: StatefulSet, template: string, ordinal: number): string {
  return `${template}-${podName(set, ordinal)}`;
}

/** Names of the claim templates, which are those of the volumes. */
export function claimTemplateNames(set: StatefulSet): readonly string[] {
  return (set.spec?.volumeClaimTemplates ?? []).map(({ metadata }) => metadata?.name ?? "");
}

/** Name of the revision that the Pod was made from. */
export function revisionOfPod(pod: Pod): string | undefined {
  return pod.metadata?.labels?.[REVISION];
}

function identityLabels(set: StatefulSet, ordinal: number): Record<string, string> {
  return { [POD_NAME]: podName(set, ordinal), [POD_INDEX]: String(ordinal) };
}

/** @spec k8s@1.36 pkg/controller/statefulset newStatefulSetPod, initIdentity, updateStorage */
export function newPod(
  set: StatefulSet,
  ordinal: number,
  template: PodTemplate,
  revision: string,
): Pod {
  const { metadata, ...pod } = podFromTemplate(template, StatefulSet, set);
  const { generateName: _, ...rest } = metadata ?? {};
  const name = podName(set, ordinal);
  const labels = { ...rest.labels, ...identityLabels(set, ordinal), [REVISION]: revision };
  return {
    ...pod,
    metadata: { ...rest, name, labels },
    spec: {
      ...pod.spec!,
      hostname: name,
      ...(set.spec?.serviceName && { subdomain: set.spec.serviceName }),
      ...volumesOf(set, ordinal, pod.spec?.volumes),
    },
  };
}

/** Claims come first, and in place of volumes of their name. */
function volumesOf(
  set: StatefulSet,
  ordinal: number,
  volumes: NonNullable<Pod["spec"]>["volumes"] = [],
): Pick<NonNullable<Pod["spec"]>, "volumes"> {
  const templates = claimTemplateNames(set);
  const claimed = templates.map((name) => ({
    name,
    persistentVolumeClaim: { claimName: claimName(set, name, ordinal) },
  }));
  const all = [...claimed, ...volumes.filter(({ name }) => !templates.includes(name))];
  return all.length > 0 ? { volumes: all } : {};
}

/** @spec identityMatches */
function hasIdentity(set: StatefulSet, ordinal: number, pod: Pod): boolean {
  return pod.metadata?.labels?.[POD_NAME] === podName(set, ordinal);
}

/**
 * Whether the Pod has the volumes of its claims. One that was adopted may lack them, and it always will: volumes never change.
 *
 * @spec storageMatches
 */
export function hasStorage(set: StatefulSet, ordinal: number, pod: Pod): boolean {
  const volumes = pod.spec?.volumes ?? [];
  return claimTemplateNames(set).every((template) => {
    const claimed = volumes.find(({ name }) => name === template)?.persistentVolumeClaim;
    return claimed?.claimName === claimName(set, template, ordinal);
  });
}

/** A merge patch that gives the Pod the labels and volumes that it lacks; `undefined`: it has all. @spec updateIdentity, updateStorage */
export function repairPatch(set: StatefulSet, ordinal: number, pod: Pod): object | undefined {
  const isNamed = hasIdentity(set, ordinal, pod);
  const isStored = hasStorage(set, ordinal, pod);
  if (isNamed && isStored) return undefined;
  return {
    ...(!isNamed && { metadata: { labels: identityLabels(set, ordinal) } }),
    ...(!isStored && { spec: volumesOf(set, ordinal, pod.spec?.volumes) }),
  };
}

/** @spec isRunningAndReady */
export function isRunningAndReady(pod: Pod): boolean {
  return pod.status?.phase === "Running" && isPodReady(pod);
}

/** Ready for long enough, and not on its way out. @spec isUnavailable */
export function isAvailable(set: StatefulSet, pod: Pod, now: Instant): boolean {
  return !isBeingDeleted(pod) && isReadyForLong(set, pod, now);
}

/** @spec isRunningAndAvailable */
export function isReadyForLong(set: StatefulSet, pod: Pod, now: Instant): boolean {
  return isPodAvailable(pod, set.spec?.minReadySeconds ?? 0, now);
}
