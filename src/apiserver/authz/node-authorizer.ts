import { formatKey, type ObjectKey } from "../../api/machinery/object.ts";
import type { V1Pod } from "../../gen/types.ts";
import { cached } from "../authn/cached-kinds.ts";
import type { UserInfo } from "../request.ts";
import type { AuthorizedInfo, Authorizer, Decision } from "./authorizer.ts";
import { nodeNameOf } from "./node-identity.ts";
import { nodeRules } from "./policy/node-rules.ts";
import { MIRROR_ANNOTATION, podReferences, volumeSecretKeys } from "./pod-references.ts";
import type { RbacSource } from "./rbac-rules.ts";
import { ruleAllows } from "./rule-matching.ts";

/** A namespace that nothing is in. */
const NOWHERE = "-";
const ALLOWED: Decision = { isAllowed: true, reason: "" };
const refused = (reason: string): Decision => ({ isAllowed: false, reason });

/**
 * What a node's kubelet may do: itself, its Pods, and what those name; nothing of other nodes.
 *
 * Uses the cache's index of Pods by node; what a Pod names is read from the Pod when asked, for a node has few and asks seldom.
 * @spec k8s@1.36 plugin/pkg/auth/authorizer/node node_authorizer.go, graph.go
 */
export class NodeAuthorizer implements Authorizer {
  readonly #source: RbacSource;

  constructor(source: RbacSource) {
    this.#source = source;
    // The first question makes the index, before the server is ready.
    source.list(cached.pod, { namespace: NOWHERE, nodeName: "" });
  }

  authorize(user: UserInfo, info: AuthorizedInfo): Decision {
    const node = nodeNameOf(user);
    if (node === undefined) return refused("");
    if (node === "") return refused(`unknown node for user ${JSON.stringify(user.name)}`);
    if (info.isResource) {
      const own = this.#ownRules(node, info);
      if (own) return own;
    }
    return nodeRules.some((rule) => ruleAllows(rule, info)) ? ALLOWED : refused("");
  }

  /** Decides on resources that have rules beyond {@link nodeRules}; `undefined`: this is none. */
  #ownRules(node: string, info: AuthorizedInfo): Decision | undefined {
    switch (info.group ? `${info.plural}.${info.group}` : info.plural) {
      case "secrets":
      case "configmaps":
        return this.#readNamespaced(node, info);
      case "persistentvolumeclaims":
        return info.subresource === "status"
          ? this.#updateStatus(node, info)
          : this.#getOne(node, info);
      case "persistentvolumes":
        return this.#getOne(node, info);
      case "volumeattachments.storage.k8s.io":
        return this.#getOne(node, info);
      case "serviceaccounts":
        return this.#createToken(node, info);
      case "leases.coordination.k8s.io":
        return leaseDecision(node, info);
      case "csinodes.storage.k8s.io":
        return csiNodeDecision(node, info);
      case "nodes":
        return nodeDecision(node, info);
      case "pods":
        return this.#podDecision(node, info);
      default:
        return undefined;
    }
  }

  #readNamespaced(node: string, info: AuthorizedInfo): Decision {
    if (!["get", "list", "watch"].includes(info.verb))
      return refused("can only read resources of this type");
    if (info.subresource) return refused("cannot read subresource");
    if (!info.namespace) return refused("can only read namespaced object of this type");
    return this.#related(node, info);
  }

  #getOne(node: string, info: AuthorizedInfo): Decision {
    if (info.verb !== "get") return refused("can only get individual resources of this type");
    if (info.subresource) return refused("cannot get subresource");
    return this.#related(node, info);
  }

  #updateStatus(node: string, info: AuthorizedInfo): Decision {
    if (!["update", "patch"].includes(info.verb))
      return refused("can only get/update/patch this type");
    return this.#related(node, info);
  }

  #createToken(node: string, info: AuthorizedInfo): Decision {
    if (info.verb !== "create" || !info.name)
      return refused("can only create tokens for individual service accounts");
    if (info.subresource !== "token")
      return refused("can only create token subresource of serviceaccount");
    return this.#related(node, info);
  }

  #podDecision(node: string, info: AuthorizedInfo): Decision {
    const { verb, subresource } = info;
    if (subresource === "status")
      return verb === "update" || verb === "patch" ? ALLOWED : refused("");
    if (subresource === "eviction") return verb === "create" ? ALLOWED : refused("");
    if (subresource !== "") return refused("");
    if (verb === "create" || verb === "delete") return ALLOWED;
    return ["get", "list", "watch"].includes(verb) ? this.#related(node, info) : refused("");
  }

  #related(node: string, info: AuthorizedInfo): Decision {
    if (!info.name) return refused("No Object name found");
    const key = { namespace: info.namespace, name: info.name };
    return this.#isRelated(node, info.plural, key)
      ? ALLOWED
      : refused(`no relationship found between node '${node}' and this object`);
  }

  #isRelated(node: string, plural: string, key: ObjectKey): boolean {
    const pods = this.#podsOf(node);
    const local = pods.filter((pod) => pod.metadata?.namespace === key.namespace);
    switch (plural) {
      case "pods":
        return local.some((pod) => pod.metadata?.name === key.name);
      case "configmaps":
        return local.some((pod) => podReferences(pod).configMaps.has(key.name));
      case "persistentvolumeclaims":
        return local.some((pod) => podReferences(pod).claims.has(key.name));
      case "serviceaccounts":
        return local.some((pod) => pod.spec?.serviceAccountName === key.name);
      case "secrets":
        return (
          local.some((pod) => podReferences(pod).secrets.has(key.name)) ||
          this.#volumesOf(pods).some((name) => this.#volumeNames(name, key))
        );
      case "persistentvolumes":
        return this.#volumesOf(pods).includes(key.name);
      case "volumeattachments":
        return this.#source.get(cached.volumeAttachment, key)?.spec.nodeName === node;
      default:
        return false;
    }
  }

  /** Names of the PersistentVolumes behind the claims of `pods`. */
  #volumesOf(pods: readonly V1Pod[]): readonly string[] {
    return pods.flatMap((pod) =>
      [...podReferences(pod).claims].flatMap((name) => {
        const key = { namespace: pod.metadata?.namespace ?? "", name };
        return this.#source.get(cached.persistentVolumeClaim, key)?.spec?.volumeName ?? [];
      }),
    );
  }

  #volumeNames(volumeName: string, secret: ObjectKey): boolean {
    const volume = this.#source.get(cached.persistentVolume, { namespace: "", name: volumeName });
    return (
      volume !== undefined &&
      volumeSecretKeys(volume).some((key) => formatKey(key) === formatKey(secret))
    );
  }

  /** Mirror Pods are left out: a node makes those itself, and would grant itself what they name. */
  #podsOf(node: string): readonly V1Pod[] {
    return this.#source.list(cached.pod, {
      nodeName: node,
      where: ({ metadata }) => metadata?.annotations?.[MIRROR_ANNOTATION] === undefined,
    });
  }
}

function nodeDecision(node: string, { verb, name, subresource }: AuthorizedInfo): Decision {
  if (subresource === "status")
    return verb === "update" || verb === "patch" ? ALLOWED : refused("");
  if (subresource !== "") return refused("");
  // Which Node object: admission's business (NodeRestriction), as upstream has it.
  if (["create", "update", "patch"].includes(verb)) return ALLOWED;
  if (!["get", "list", "watch"].includes(verb)) return refused("");
  if (name === node) return ALLOWED;
  return refused(
    name === ""
      ? `node '${node}' cannot read all nodes, only its own Node object`
      : `node '${node}' cannot read '${name}', only its own Node object`,
  );
}

function leaseDecision(node: string, { verb, name, namespace }: AuthorizedInfo): Decision {
  if (!["get", "create", "update", "patch", "delete"].includes(verb))
    return refused("can only get, create, update, patch, or delete a node lease");
  if (namespace !== "kube-node-lease")
    return refused(`can only access leases in the "kube-node-lease" system namespace`);
  if (verb !== "create" && name !== node)
    return refused("can only access node lease with the same name as the requesting node");
  return ALLOWED;
}

function csiNodeDecision(node: string, { verb, name, subresource }: AuthorizedInfo): Decision {
  if (!["get", "create", "update", "patch", "delete"].includes(verb))
    return refused("can only get, create, update, patch, or delete a CSINode");
  if (subresource) return refused("cannot authorize CSINode subresources");
  if (verb !== "create" && name !== node)
    return refused("can only access CSINode with the same name as the requesting node");
  return ALLOWED;
}
