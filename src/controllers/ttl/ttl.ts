import { Node } from "../../api/core/node.ts";
import { keyOf } from "../../api/machinery/object.ts";
import type { Cache } from "../../client/cache.ts";
import type { Plan } from "../../reconciler/controller.ts";
import type { Loop } from "../../reconciler/runner.ts";
import { fixedKinds } from "../../reconciler/served-kinds.ts";

/** For how many seconds a kubelet may keep ConfigMaps and Secrets that it has read. @spec core/v1 ObjectTTLAnnotationKey */
export const TTL_ANNOTATION = "node.alpha.kubernetes.io/ttl";

/** Sizes of clusters overlap, so that one node more or less does not turn it back and forth. @spec ttl_controller.go ttlBoundaries */
const STEPS = [
  { nodesMin: 0, nodesMax: 100, seconds: 0 },
  { nodesMin: 90, nodesMax: 500, seconds: 15 },
  { nodesMin: 450, nodesMax: 1000, seconds: 30 },
  { nodesMin: 900, nodesMax: 2000, seconds: 60 },
  { nodesMin: 1800, nodesMax: Infinity, seconds: 300 },
] as const;

/**
 * Keeps the annotation of every node.
 *
 * A change of the cluster's size reaches a node with its next heartbeat: thousands of nodes are not written at once.
 * @spec k8s@1.36 pkg/controller/ttl/ttl_controller.go
 */
export function ttlLoop(cache: Cache): Loop {
  const names = new Set<string>();
  let step = 0;
  return {
    name: "ttl-controller",
    kinds: fixedKinds([Node]),
    keysOf({ key, object }) {
      if (object) names.add(key.name);
      else names.delete(key.name);
      step = stepOf(step, names.size);
      return object && plan(object as Node, secondsOf(step)).writes ? [key.name] : [];
    },
    decide(name) {
      const node = cache.get(Node, { namespace: "", name });
      return node && { plan: plan(node, secondsOf(step)) };
    },
  };
}

/** The step of a cluster of `count` nodes that was at step `from`; pure. */
export function stepOf(from: number, count: number): number {
  let step = from;
  while (count > STEPS[step]!.nodesMax) step++;
  while (count < STEPS[step]!.nodesMin) step--;
  return step;
}

/** What the annotation says at a step; pure. */
export function secondsOf(step: number): number {
  return STEPS[step]!.seconds;
}

/** Pure; see {@link ttlLoop}. */
export function plan(node: Node, seconds: number): Plan {
  const text = node.metadata?.annotations?.[TTL_ANNOTATION];
  if (text !== undefined && Number.parseInt(text, 10) === seconds) return {};
  return {
    writes: [
      {
        verb: "patch",
        kind: Node,
        key: keyOf(node),
        ifUid: node.metadata?.uid ?? "",
        patch: { metadata: { annotations: { [TTL_ANNOTATION]: String(seconds) } } },
      },
    ],
  };
}
