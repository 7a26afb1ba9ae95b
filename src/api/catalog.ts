import { controllerRevisionResource } from "./apps/controller-revision.ts";
import { daemonSetResource } from "./apps/daemon-set.ts";
import { deploymentResource } from "./apps/deployment.ts";
import { replicaSetResource } from "./apps/replica-set.ts";
import { statefulSetResource } from "./apps/stateful-set.ts";
import { selfSubjectReviewResource } from "./authentication/self-subject-review.ts";
import { tokenReviewResource } from "./authentication/token-review.ts";
import { localSubjectAccessReviewResource } from "./authorization/local-subject-access-review.ts";
import { selfSubjectAccessReviewResource } from "./authorization/self-subject-access-review.ts";
import { selfSubjectRulesReviewResource } from "./authorization/self-subject-rules-review.ts";
import { subjectAccessReviewResource } from "./authorization/subject-access-review.ts";
import { cronJobResource } from "./batch/cron-job.ts";
import { jobResource } from "./batch/job.ts";
import { certificateSigningRequestResource } from "./certificates/certificate-signing-request.ts";
import { stackResource } from "./compose/stack.ts";
import { leaseResource } from "./coordination/lease.ts";
import { bindingResource } from "./core/binding.ts";
import { configMapResource } from "./core/config-map.ts";
import { endpointsResource } from "./core/endpoints.ts";
import { eventResource } from "./core/event.ts";
import { limitRangeResource } from "./core/limit-range.ts";
import { namespaceResource } from "./core/namespace.ts";
import { nodeResource } from "./core/node.ts";
import { persistentVolumeClaimResource } from "./core/persistent-volume-claim.ts";
import { persistentVolumeResource } from "./core/persistent-volume.ts";
import { podTemplateResource } from "./core/pod-template.ts";
import { podResource } from "./core/pod.ts";
import { replicationControllerResource } from "./core/replication-controller.ts";
import { resourceQuotaResource } from "./core/resource-quota.ts";
import { secretResource } from "./core/secret.ts";
import { serviceAccountResource } from "./core/service-account.ts";
import { serviceResource } from "./core/service.ts";
import { endpointSliceResource } from "./discovery/endpoint-slice.ts";
import { eventsEventResource } from "./events/event.ts";
import { flowSchemaResource } from "./flowcontrol/flow-schema.ts";
import { priorityLevelConfigurationResource } from "./flowcontrol/priority-level-configuration.ts";
import { apiVersionOf, type Kind } from "./machinery/kind.ts";
import type { KubeObject } from "./machinery/object.ts";
import type { Resource } from "./machinery/resource.ts";
import { runtimeClassResource } from "./node/runtime-class.ts";
import { podDisruptionBudgetResource } from "./policy/pod-disruption-budget.ts";
import { clusterRoleBindingResource } from "./rbac/cluster-role-binding.ts";
import { clusterRoleResource } from "./rbac/cluster-role.ts";
import { roleBindingResource } from "./rbac/role-binding.ts";
import { roleResource } from "./rbac/role.ts";
import { priorityClassResource } from "./scheduling/priority-class.ts";
import { csiDriverResource } from "./storage/csi-driver.ts";
import { csiNodeResource } from "./storage/csi-node.ts";
import { csiStorageCapacityResource } from "./storage/csi-storage-capacity.ts";
import { storageClassResource } from "./storage/storage-class.ts";
import { volumeAttachmentResource } from "./storage/volume-attachment.ts";
import { volumeAttributesClassResource } from "./storage/volume-attributes-class.ts";

/** THE table of served kinds. Within a group, the order is that of `kubectl api-resources`. */
export const catalog: readonly Resource[] = [
  erased(bindingResource),
  erased(configMapResource),
  erased(endpointsResource),
  erased(eventResource),
  erased(limitRangeResource),
  erased(namespaceResource),
  erased(nodeResource),
  erased(persistentVolumeClaimResource),
  erased(persistentVolumeResource),
  erased(podResource),
  erased(podTemplateResource),
  erased(replicationControllerResource),
  erased(resourceQuotaResource),
  erased(secretResource),
  erased(serviceAccountResource),
  erased(serviceResource),
  erased(controllerRevisionResource),
  erased(daemonSetResource),
  erased(deploymentResource),
  erased(replicaSetResource),
  erased(statefulSetResource),
  erased(selfSubjectReviewResource),
  erased(tokenReviewResource),
  erased(localSubjectAccessReviewResource),
  erased(selfSubjectAccessReviewResource),
  erased(selfSubjectRulesReviewResource),
  erased(subjectAccessReviewResource),
  erased(cronJobResource),
  erased(jobResource),
  erased(certificateSigningRequestResource),
  erased(stackResource),
  erased(leaseResource),
  erased(endpointSliceResource),
  erased(eventsEventResource),
  erased(flowSchemaResource),
  erased(priorityLevelConfigurationResource),
  erased(runtimeClassResource),
  erased(podDisruptionBudgetResource),
  erased(clusterRoleBindingResource),
  erased(clusterRoleResource),
  erased(roleBindingResource),
  erased(roleResource),
  erased(priorityClassResource),
  erased(csiDriverResource),
  erased(csiNodeResource),
  erased(csiStorageCapacityResource),
  erased(storageClassResource),
  erased(volumeAttachmentResource),
  erased(volumeAttributesClassResource),
];

const byPlural = new Map(
  catalog.map((resource) => [keyOf(resource.kind, resource.kind.plural), resource]),
);
const byKind = new Map(
  catalog.map((resource) => [keyOf(resource.kind, resource.kind.kind), resource]),
);

/** `extensions/Deployment` → `apps`: groups that kinds have left, and where they went. */
const moved = new Map(
  catalog.flatMap(({ kind, olderVersions = [] }) =>
    olderVersions
      .filter(({ group }) => group !== kind.group)
      .map(({ group }) => [`${group}/${kind.kind}`, kind.group] as const),
  ),
);

/** The group that a kind of `group` belongs to now: references to owners may be older than the move. */
export function presentGroup(group: string, kind: string): string {
  return moved.get(`${group}/${kind}`) ?? group;
}

/** The row of a kind; `undefined` when it is not served. */
export function resourceOf<T extends KubeObject>(kind: Kind<T>): Resource<T> | undefined {
  return byPlural.get(keyOf(kind, kind.plural)) as Resource<T> | undefined;
}

/** The row behind `/apis/GROUP/VERSION/…/PLURAL`; group "" for `/api`. */
export function resourceByPlural(
  group: string,
  version: string,
  plural: string,
): Resource | undefined {
  return byPlural.get(keyOf({ group, version }, plural));
}

/** The row of an object's `apiVersion` (`v1`, `apps/v1`) and `kind`. */
export function resourceByKind(apiVersion: string, kind: string): Resource | undefined {
  return byKind.get(`${apiVersion}/${kind}`);
}

function keyOf(kind: Pick<Kind, "group" | "version">, name: string): string {
  return `${apiVersionOf(kind)}/${name}`;
}

/** Forgets the type of the objects. Sound because the server gives each row objects of its own kind only. */
function erased<T extends KubeObject>(resource: Resource<T>): Resource {
  return resource as unknown as Resource;
}
