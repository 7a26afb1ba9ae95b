import type { V1Node, V1Pod } from "../gen/types.ts";
import { NodeInfo, podInfoOf } from "./node-info.ts";

/**
 * Nodes with their Pods, kept in step with the watch, plus the Pods that were decided but whose binding has not come back.
 *
 * A Pod that names a node not (yet) known is kept, and counts when the node appears.
 */
export class SchedulerCache {
  readonly #nodes = new Map<string, NodeInfo>();
  readonly #pods = new Map<string, V1Pod>();
  /** Pods on nodes that are not known, by node name. */
  readonly #homeless = new Map<string, Map<string, V1Pod>>();
  readonly #assumed = new Set<string>();
  #list: readonly NodeInfo[] | undefined;

  /** All nodes; the same array until one comes or goes. */
  nodes(): readonly NodeInfo[] {
    return (this.#list ??= [...this.#nodes.values()]);
  }

  setNode(node: V1Node): void {
    const name = node.metadata?.name ?? "";
    const known = this.#nodes.get(name);
    if (known) return known.setNode(node);
    const info = new NodeInfo(node);
    for (const pod of this.#homeless.get(name)?.values() ?? []) info.addPod(podInfoOf(pod));
    this.#homeless.delete(name);
    this.#nodes.set(name, info);
    this.#list = undefined;
  }

  removeNode(name: string): void {
    const info = this.#nodes.get(name);
    if (!info) return;
    this.#nodes.delete(name);
    this.#list = undefined;
    this.#homeless.set(name, new Map([...info.pods].map(([uid, { pod }]) => [uid, pod])));
  }

  /** A Pod that the server knows on a node; ends its being assumed. */
  setPod(pod: V1Pod): void {
    const uid = pod.metadata?.uid ?? "";
    const old = this.#pods.get(uid);
    if (old && old.spec?.nodeName !== pod.spec?.nodeName) this.removePod(uid);
    this.#assumed.delete(uid);
    this.#place(uid, pod);
  }

  /** Counts a decided Pod on its node at once. */
  assume(pod: V1Pod, node: string): void {
    const uid = pod.metadata?.uid ?? "";
    this.#assumed.add(uid);
    this.#place(uid, { ...pod, spec: { ...pod.spec!, nodeName: node } });
  }

  /** Binding failed: the Pod takes nothing after all. Does nothing once the server has said otherwise. */
  forget(pod: V1Pod): void {
    const uid = pod.metadata?.uid ?? "";
    if (this.#assumed.has(uid)) this.removePod(uid);
  }

  isAssumed(pod: V1Pod): boolean {
    return this.#assumed.has(pod.metadata?.uid ?? "");
  }

  /** @returns true when it was on a node. */
  removePod(uid: string): boolean {
    const pod = this.#pods.get(uid);
    if (!pod) return false;
    const node = pod.spec?.nodeName ?? "";
    this.#pods.delete(uid);
    this.#assumed.delete(uid);
    this.#nodes.get(node)?.removePod(uid);
    this.#homeless.get(node)?.delete(uid);
    return true;
  }

  #place(uid: string, pod: V1Pod): void {
    const name = pod.spec?.nodeName ?? "";
    this.#pods.set(uid, pod);
    const node = this.#nodes.get(name);
    if (node) return node.addPod(podInfoOf(pod));
    const homeless = this.#homeless.get(name) ?? new Map<string, V1Pod>();
    homeless.set(uid, pod);
    this.#homeless.set(name, homeless);
  }
}
