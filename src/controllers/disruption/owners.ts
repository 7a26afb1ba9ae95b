import { catalog, presentGroup } from "../../api/catalog.ts";
import { Deployment } from "../../api/apps/deployment.ts";
import { ReplicaSet } from "../../api/apps/replica-set.ts";
import type { Pod } from "../../api/core/pod.ts";
import { resourceNameOf, type Kind } from "../../api/machinery/kind.ts";
import type { KubeObject, OwnerReference } from "../../api/machinery/object.ts";
import type { Resource } from "../../api/machinery/resource.ts";
import type { CacheReader } from "../../client/cache.ts";
import { controllerOf } from "../../reconciler/ownership.ts";

/** Who decides how many Pods of the kind of one Pod there are. */
export type Owner =
  | { readonly kind: "scaled"; readonly uid: string; readonly replicas: number }
  /** Nobody controls the Pod. */
  | { readonly kind: "none" }
  /** Somebody does, but nobody who says a number. */
  | { readonly kind: "uncounted"; readonly why: string };

const byGroupKind = new Map(
  catalog.map((resource) => [`${resource.kind.group}/${resource.kind.kind}`, resource]),
);

/** Kinds that have a scale. */
export const scaledKinds: readonly Kind[] = catalog
  .filter(({ subresources }) => subresources?.scale)
  .map(({ kind }) => kind);

/** How many Pods an object of one of {@link scaledKinds} wants. */
export function scaleOf(kind: Kind, object: KubeObject | undefined): number | undefined {
  const resource = byGroupKind.get(`${kind.group}/${kind.kind}`);
  return object && resource?.subresources?.scale?.replicas(object);
}

/** The owner of `pod`. The ReplicaSets of one Deployment count as that Deployment. @spec disruption.go finders */
export function ownerOf(cache: CacheReader, pod: Pod): Owner {
  const reference = controllerOf(pod);
  if (!reference) return { kind: "none" };
  const resource = resourceBehind(reference);
  if (!resource) {
    const { kind, apiVersion } = reference;
    return uncounted(`no matches for kind ${JSON.stringify(kind)} in version "${apiVersion}"`);
  }
  if (!resource.subresources?.scale)
    return uncounted(`${resourceNameOf(resource.kind)} does not implement the scale subresource`);
  const namespace = pod.metadata?.namespace ?? "";
  const found = referred(cache, resource.kind, namespace, reference);
  if (!found)
    return uncounted(`found no controllers for pod ${JSON.stringify(pod.metadata?.name)}`);
  const parent = resource.kind.kind === ReplicaSet.kind ? controllerOf(found) : undefined;
  const deployment =
    parent?.kind === Deployment.kind ? referred(cache, Deployment, namespace, parent) : undefined;
  return deployment ? scaled(Deployment, deployment) : scaled(resource.kind, found);
}

function resourceBehind({ apiVersion, kind }: OwnerReference): Resource | undefined {
  const group = apiVersion.includes("/") ? apiVersion.split("/")[0]! : "";
  return byGroupKind.get(`${presentGroup(group, kind)}/${kind}`);
}

/** The object that a reference means; another one of its name is none. */
function referred(
  cache: CacheReader,
  kind: Kind,
  namespace: string,
  { name, uid }: OwnerReference,
): KubeObject | undefined {
  const found = cache.get(kind, { namespace, name });
  return found?.metadata?.uid === uid ? found : undefined;
}

function scaled(kind: Kind, object: KubeObject): Owner {
  return { kind: "scaled", uid: object.metadata?.uid ?? "", replicas: scaleOf(kind, object) ?? 0 };
}

function uncounted(why: string): Owner {
  return { kind: "uncounted", why };
}
