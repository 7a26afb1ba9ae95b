import { serviceLabels } from "../../api/compose/labels.ts";
import { Stack, type ComposeService } from "../../api/compose/stack.ts";
import { DaemonSet, daemonSetResource } from "../../api/apps/daemon-set.ts";
import { Deployment, deploymentResource } from "../../api/apps/deployment.ts";
import { StatefulSet, statefulSetResource } from "../../api/apps/stateful-set.ts";
import type { Kind } from "../../api/machinery/kind.ts";
import type { ObjectMeta } from "../../api/machinery/object.ts";
import type { V1PodTemplateSpec } from "../../gen/types.ts";
import { claimsOf, hasClaims } from "./mounts.ts";
import { podTemplateOf } from "./pod-template.ts";
import type { Part, Workload } from "./wanted.ts";

/**
 * Old revisions that stay for a rollback. Doubled, each service leaves up to six old ReplicaSets in every list.
 *
 * @spec compose-on-kubernetes internal/convert deployment.go
 */
const REVISIONS_KEPT = 3;

/** `kubectl rollout restart` leaves this on a template; a stack has no say in it. */
const RESTARTED = "kubectl.kubernetes.io/restartedAt";

/** Which kind runs a service. */
export function workloadKind(service: ComposeService): Kind {
  if (service.deploy?.mode === "global") return DaemonSet;
  return hasClaims(service) ? StatefulSet : Deployment;
}

/** The workload that runs a service, with all defaults: a DaemonSet, a StatefulSet or a Deployment. */
export function workloadOf(stack: Stack, service: ComposeService, metadata: ObjectMeta): Part {
  const kind = workloadKind(service);
  const { name = "", deploy } = service;
  const matchLabels = serviceLabels(stack.metadata?.name ?? "", name);
  const common = {
    selector: { matchLabels },
    revisionHistoryLimit: REVISIONS_KEPT,
    template: podTemplateOf(service, metadata.labels ?? matchLabels, stack.spec),
  };
  const counted = deploy?.replicas === undefined ? {} : { replicas: deploy.replicas };
  const atOnce = atOnceOf(deploy?.update_config?.paralellism);
  if (kind === DaemonSet) {
    const updateStrategy = { type: "RollingUpdate", ...(atOnce && { rollingUpdate: atOnce }) };
    const object = { metadata, spec: { ...common, ...(atOnce && { updateStrategy }) } };
    return { kind, object: daemonSetResource.strategy.withDefaults(object) };
  }
  if (kind === StatefulSet) {
    const spec = { ...common, ...counted, serviceName: name };
    const object = { metadata, spec: { ...spec, volumeClaimTemplates: claimsOf(service) } };
    return { kind, object: statefulSetResource.strategy.withDefaults(object) };
  }
  const strategy = { type: "RollingUpdate", ...(atOnce && { rollingUpdate: atOnce }) };
  const object = { metadata, spec: { ...common, ...counted, ...(atOnce && { strategy }) } };
  return { kind, object: deploymentResource.strategy.withDefaults(object) };
}

/** How many Pods may be out of service at once; in a compose file 0 means all. */
function atOnceOf(
  parallelism: number | undefined,
): { readonly maxUnavailable: number | string } | undefined {
  if (parallelism === undefined) return undefined;
  return { maxUnavailable: parallelism === 0 ? "100%" : parallelism };
}

/** The spec with what a stack has no say in: a count it leaves out, what a StatefulSet cannot change, restarts by hand. */
export function withKept(service: ComposeService, spec: Workload, old: Workload): Workload {
  const isCounted = service.deploy?.replicas !== undefined || spec.replicas === undefined;
  const restarted = old.template?.metadata?.annotations?.[RESTARTED];
  const { volumeClaimTemplates: claims } = old;
  return {
    ...spec,
    ...(!isCounted && { replicas: old.replicas }),
    ...(claims && spec.volumeClaimTemplates && { volumeClaimTemplates: claims }),
    ...(restarted !== undefined && { template: withRestart(spec.template ?? {}, restarted) }),
  };
}

function withRestart(template: V1PodTemplateSpec, value: string): V1PodTemplateSpec {
  const { metadata } = template;
  const annotations = { ...metadata?.annotations, [RESTARTED]: value };
  return { ...template, metadata: { ...metadata, annotations } };
}

/** True when a StatefulSet has other claims than the service now has: they can be given to a new one only. */
export function hasOtherClaims(spec: Workload, old: Workload): boolean {
  const names = ({ volumeClaimTemplates: claims = [] }: Workload): string =>
    claims.map(({ metadata }) => metadata?.name).join();
  return names(spec) !== names(old);
}
