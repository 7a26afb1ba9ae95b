import { Node } from "../../api/core/node.ts";
import { Pod } from "../../api/core/pod.ts";
import type { KubeObject, ObjectKey } from "../../api/machinery/object.ts";
import type { CacheReader } from "../../client/cache.ts";
import type {
  AuthenticationV1TokenRequest,
  V1OwnerReference,
  V1PersistentVolumeClaim,
} from "../../gen/types.ts";
import { notFound } from "../../api/machinery/status-errors.ts";
import { nodeNameOf } from "../authz/node-identity.ts";
import { MIRROR_ANNOTATION, podReferences, projections } from "../authz/pod-references.ts";
import type { AdmissionCall } from "../request.ts";
import type { AdmissionPlugin } from "./admission.ts";
import { forbiddenNodeLabels } from "./node-labels.ts";
import { refuse } from "./refusal.ts";

const quote = JSON.stringify;

/**
 * Keeps a kubelet to its own Node, its own Lease, and the Pods bound to it.
 *
 * @spec k8s@1.36 plugin/pkg/admission/noderestriction/admission.go
 */
export class NodeRestriction implements AdmissionPlugin {
  readonly name = "NodeRestriction";
  readonly #cache: CacheReader;

  constructor(cache: CacheReader) {
    this.#cache = cache;
  }

  handles({ user, operation }: AdmissionCall): boolean {
    return operation !== "CONNECT" && nodeNameOf(user) !== undefined;
  }

  validate(call: AdmissionCall): void {
    const node = nodeNameOf(call.user);
    if (!node) throw refuse(call, `could not determine node from user ${quote(call.user.name)}`);
    const { group, plural, subresource } = call.info;
    switch (group ? `${plural}.${group}` : plural) {
      case "pods":
        return this.#checkPod(call, node, subresource);
      case "nodes":
        return checkNode(call, node);
      case "persistentvolumeclaims":
        return checkClaim(call, node);
      case "serviceaccounts":
        return this.#checkToken(call, node);
      case "leases.coordination.k8s.io":
        return checkLease(call, node);
      case "csinodes.storage.k8s.io":
        return checkOwnName(call, node, "CSINode");
    }
  }

  #checkPod(call: AdmissionCall, node: string, subresource: string): void {
    switch (subresource) {
      case "":
        return this.#checkMirrorPod(call, node);
      case "status":
        return checkPodStatus(call, node);
      case "eviction":
        if (this.#pod(call).spec?.nodeName !== node)
          throw refuse(call, `node ${node} can only evict pods with spec.nodeName set to itself`);
        return;
      default:
        throw refuse(
          call,
          `unexpected pod subresource ${quote(subresource)}, only 'status' and 'eviction' are allowed`,
        );
    }
  }

  #checkMirrorPod(call: AdmissionCall, node: string): void {
    if (call.operation === "CREATE") return this.#checkPodCreate(call, call.object as Pod, node);
    if (call.operation !== "DELETE")
      throw refuse(
        call,
        `unexpected operation ${quote(call.operation)}, node ${quote(node)} can only create and delete mirror pods`,
      );
    if (this.#pod(call).spec?.nodeName !== node)
      throw refuse(
        call,
        `node ${quote(node)} can only delete pods with spec.nodeName set to itself`,
      );
  }

  #checkPodCreate(call: AdmissionCall, pod: Pod, node: string): void {
    const can = (what: string): Error => refuse(call, `node ${quote(node)} can only ${what}`);
    const cannot = (what: string): Error =>
      refuse(call, `node ${quote(node)} can not create pods that reference ${what}`);
    if (pod.metadata?.annotations?.[MIRROR_ANNOTATION] === undefined)
      throw refuse(
        call,
        `pod does not have ${quote(MIRROR_ANNOTATION)} annotation, node ${quote(node)} can only create mirror pods`,
      );
    if (pod.spec?.nodeName !== node) throw can("create pods with spec.nodeName set to itself");
    const [owner, another] = pod.metadata.ownerReferences ?? [];
    if (another) throw can("create pods with a single owner reference set to itself");
    this.#checkOwner(call, owner, node);
    if (pod.spec.serviceAccountName) throw cannot("a service account");
    const { secrets, configMaps, claims } = podReferences(pod);
    if (secrets.size > 0) throw cannot("secrets");
    if (configMaps.size > 0) throw cannot("configmaps");
    if (claims.size > 0) throw cannot("persistentvolumeclaims");
    if (projections(pod.spec.volumes ?? []).some((source) => source.clusterTrustBundle))
      throw cannot("clustertrustbundles");
    if (pod.spec.resourceClaims?.length) throw cannot("resourceclaims");
  }

  #checkOwner(call: AdmissionCall, owner: V1OwnerReference | undefined, node: string): void {
    const can = (what: string): Error =>
      refuse(call, `node ${quote(node)} can only create pods with ${what} set to itself`);
    const isSelf = owner?.apiVersion === "v1" && owner.kind === "Node" && owner.name === node;
    if (!owner || !isSelf) throw can("an owner reference");
    if (!owner.controller) throw can("a controller owner reference");
    if (owner.blockOwnerDeletion)
      throw refuse(
        call,
        `node ${quote(node)} must not set blockOwnerDeletion on an owner reference`,
      );
    const found = this.#cache.get(Node, { namespace: "", name: node });
    if (!found) throw notFound(Node, node);
    if (owner.uid !== found.metadata?.uid)
      throw refuse(
        call,
        `node ${node} UID mismatch: expected ${owner.uid} got ${found.metadata?.uid}`,
      );
  }

  #checkToken(call: AdmissionCall, node: string): void {
    if (call.operation !== "CREATE" || call.info.subresource !== "token") return;
    const { spec } = call.object as AuthenticationV1TokenRequest;
    const bound = spec?.boundObjectRef;
    if (bound?.apiVersion !== "v1" || bound.kind !== "Pod" || !bound.name)
      throw refuse(call, "node requested token not bound to a pod");
    if (!bound.uid) throw refuse(call, "node requested token with a pod binding without a uid");
    const pod = this.#pod(call, { namespace: call.info.namespace, name: bound.name });
    if (bound.uid !== pod.metadata?.uid)
      throw refuse(
        call,
        `the UID in the bound object reference (${bound.uid}) does not match the UID in record ` +
          `(${pod.metadata?.uid}). The object might have been deleted and then recreated`,
      );
    if (pod.spec?.nodeName !== node)
      throw refuse(call, "node requested token bound to a pod scheduled on a different node");
    checkAudiences(call, spec?.audiences ?? [], pod);
  }

  #pod(call: AdmissionCall, key: ObjectKey = call.info): Pod {
    const pod = this.#cache.get(Pod, { namespace: key.namespace, name: key.name });
    if (!pod) throw notFound(Pod, key.name);
    return pod;
  }
}

/** A node asks only for tokens that the Pod itself asks for; drivers of CSI volumes may ask for more. */
function checkAudiences(call: AdmissionCall, audiences: readonly string[], pod: Pod): void {
  if (audiences.length > 1) throw refuse(call, "node may only request 0 or 1 audiences");
  const volumes = pod.spec?.volumes ?? [];
  const hasDriver = volumes.some((one) => one.csi ?? one.persistentVolumeClaim ?? one.ephemeral);
  const wanted = projections(volumes).flatMap(({ serviceAccountToken: token }) =>
    token ? [token.audience ?? ""] : [],
  );
  const [audience = ""] = audiences;
  if (!hasDriver && !wanted.includes(audience))
    throw refuse(call, `audience ${quote(audience)} not found in pod spec volume`);
}

function checkPodStatus(call: AdmissionCall, node: string): void {
  if (call.operation !== "UPDATE")
    throw refuse(call, `unexpected operation ${quote(call.operation)}`);
  if ((call.old as Pod).spec?.nodeName !== node)
    throw refuse(
      call,
      `node ${quote(node)} can only update pod status for pods with spec.nodeName set to itself`,
    );
  if (!isEqualMap(call.old?.metadata?.labels, call.object?.metadata?.labels))
    throw refuse(call, `node ${quote(node)} cannot update labels through pod status`);
}

function checkNode(call: AdmissionCall, node: string): void {
  const asked = call.info.name || call.object?.metadata?.name || "";
  if (asked !== node)
    throw refuse(call, `node ${quote(node)} is not allowed to modify node ${quote(asked)}`);
  const labels = call.object?.metadata?.labels;
  const oldLabels = call.old?.metadata?.labels;
  const wrong = call.operation === "DELETE" ? [] : forbiddenNodeLabels(oldLabels, labels);
  if (call.operation === "CREATE" && wrong.length > 0)
    throw refuse(
      call,
      `node ${quote(node)} is not allowed to set the following labels: ${wrong.join(", ")}`,
    );
  if (call.operation !== "UPDATE") return;
  const [next, old] = [call.object as Node, call.old as Node];
  if (!isSame(next.spec?.taints ?? [], old.spec?.taints ?? []))
    throw refuse(call, `node ${quote(node)} is not allowed to modify taints`);
  if (wrong.length > 0) throw refuse(call, `is not allowed to modify labels: ${wrong.join(", ")}`);
  if (!isSame(next.metadata?.ownerReferences ?? [], old.metadata?.ownerReferences ?? []))
    throw refuse(call, `node ${quote(node)} is not allowed to modify ownerReferences`);
}

function checkClaim(call: AdmissionCall, node: string): void {
  if (call.info.subresource !== "status") throw refuse(call, "may only update PVC status");
  if (call.operation !== "UPDATE")
    throw refuse(call, `unexpected operation ${quote(call.operation)}`);
  const fixed = (object: KubeObject | undefined): unknown => {
    const { metadata, status, ...rest } = object as V1PersistentVolumeClaim;
    const { resourceVersion: _r, managedFields: _m, ...meta } = metadata ?? {};
    const { capacity: _c, conditions: _o, allocatedResources: _a, ...left } = status ?? {};
    const { allocatedResourceStatuses: _s, ...fixedStatus } = left;
    return { ...rest, meta, fixedStatus };
  };
  if (!isSame(fixed(call.old), fixed(call.object)))
    throw refuse(
      call,
      `node ${quote(node)} is not allowed to update fields other than status.quantity and status.conditions`,
    );
}

function checkLease(call: AdmissionCall, node: string): void {
  if (call.info.namespace !== "kube-node-lease")
    throw refuse(call, `can only access leases in the "kube-node-lease" system namespace`);
  checkOwnName(call, node, "node lease");
}

function checkOwnName(call: AdmissionCall, node: string, what: string): void {
  const name = call.operation === "CREATE" ? call.object?.metadata?.name : call.info.name;
  if (name !== node)
    throw refuse(call, `can only access ${what} with the same name as the requesting node`);
}

/** Objects come out of one schema, so equal ones have their fields in one order. */
function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function isEqualMap(
  a: Readonly<Record<string, string>> = {},
  b: Readonly<Record<string, string>> = {},
): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}
