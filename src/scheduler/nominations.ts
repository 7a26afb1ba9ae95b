import type { V1Pod } from "../gen/types.ts";

interface Nomination {
  readonly pod: V1Pod;
  readonly node: string;
}

/**
 * Pods that wait for victims to leave a node, which is kept for them against Pods of no higher priority.
 *
 * @spec k8s@1.36 backend/queue nominator.go
 */
export class Nominations {
  readonly #byUid = new Map<string, Nomination>();
  readonly #byNode = new Map<string, Map<string, V1Pod>>();

  get size(): number {
    return this.#byUid.size;
  }

  /** Names of nodes that are kept for somebody. */
  nodes(): Iterable<string> {
    return this.#byNode.keys();
  }

  nodeOf(uid: string): string | undefined {
    return this.#byUid.get(uid)?.node;
  }

  /** The Pods that a node is kept for. */
  on(node: string): Iterable<V1Pod> {
    return this.#byNode.get(node)?.values() ?? [];
  }

  /** `node` `undefined`: the Pod is nominated no more. */
  set(pod: V1Pod, node: string | undefined): void {
    const uid = pod.metadata?.uid ?? "";
    this.delete(uid);
    if (node === undefined) return;
    this.#byUid.set(uid, { pod, node });
    const pods = this.#byNode.get(node) ?? new Map<string, V1Pod>();
    this.#byNode.set(node, pods.set(uid, pod));
  }

  delete(uid: string): void {
    const known = this.#byUid.get(uid);
    if (!known) return;
    this.#byUid.delete(uid);
    const pods = this.#byNode.get(known.node);
    pods?.delete(uid);
    if (pods?.size === 0) this.#byNode.delete(known.node);
  }
}
