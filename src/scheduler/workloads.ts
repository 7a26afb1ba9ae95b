import type { V1LabelSelector, V1Pod } from "../gen/types.ts";

/** Objects whose selector says which Pods belong together. */
export type WorkloadKind = "Service" | "ReplicationController" | "ReplicaSet" | "StatefulSet";

type LabelMap = Readonly<Record<string, string>>;

/** Namespaced name of an owner, with its kind. */
function ownerKey(kind: string, namespace: string, name: string): string {
  return `${kind} ${namespace}/${name}`;
}

/** `apiVersion` of the owners that count. @spec k8s@1.36 plugins/helper/spread.go */
const OWNER_VERSIONS: Readonly<Record<string, string>> = {
  ReplicationController: "v1",
  ReplicaSet: "apps/v1",
  StatefulSet: "apps/v1",
};

/** The selectors of Services and of the controllers that Pods are spread by. Only selectors: nothing else of them is kept. */
export class Workloads {
  /** By namespace, then name. */
  readonly #services = new Map<string, Map<string, LabelMap>>();
  readonly #owners = new Map<string, V1LabelSelector>();
  #version = 0;

  /** Grows when a selector came, went or changed. */
  get version(): number {
    return this.#version;
  }

  /** `undefined`: it selects nothing, or is gone. */
  setService(namespace: string, name: string, selector: LabelMap | undefined): void {
    const services = this.#services.get(namespace) ?? new Map<string, LabelMap>();
    if (sameText(services.get(name), selector)) return;
    this.#version++;
    if (selector) services.set(name, selector);
    else services.delete(name);
    if (services.size > 0) this.#services.set(namespace, services);
    else this.#services.delete(namespace);
  }

  /** `undefined`: the owner is gone. */
  setOwner(
    kind: Exclude<WorkloadKind, "Service">,
    namespace: string,
    name: string,
    selector: V1LabelSelector | undefined,
  ): void {
    const key = ownerKey(kind, namespace, name);
    if (sameText(this.#owners.get(key), selector)) return;
    this.#version++;
    if (selector) this.#owners.set(key, selector);
    else this.#owners.delete(key);
  }

  /**
   * What selects the Pods that this one should be spread with; `undefined`: nothing does.
   *
   * @spec k8s@1.36 plugins/helper/spread.go DefaultSelector
   */
  selectorFor({ metadata }: V1Pod): V1LabelSelector | undefined {
    const { namespace = "", labels = {}, ownerReferences } = metadata ?? {};
    const selecting = [...(this.#services.get(namespace)?.values() ?? [])].filter((selector) =>
      Object.entries(selector).every(([key, value]) => labels[key] === value),
    );
    const matchLabels: Record<string, string> = Object.assign({}, ...selecting);
    const owner = ownerReferences?.find(({ controller }) => controller);
    const isKnown = owner && OWNER_VERSIONS[owner.kind] === owner.apiVersion;
    const own = isKnown && this.#owners.get(ownerKey(owner.kind, namespace, owner.name));
    const matchExpressions = (own && own.matchExpressions) || [];
    const all = { ...matchLabels, ...(own && own.matchLabels) };
    if (Object.keys(all).length === 0 && matchExpressions.length === 0) return undefined;
    return { matchLabels: all, ...(matchExpressions.length > 0 && { matchExpressions }) };
  }
}

function sameText(a: object | undefined, b: object | undefined): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}
