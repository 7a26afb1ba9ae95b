import type { Clock } from "../../base/clock.ts";
import { Lease } from "../../api/coordination/lease.ts";
import { Node } from "../../api/core/node.ts";
import { Pod } from "../../api/core/pod.ts";
import type { Cache } from "../../client/cache.ts";
import type { Loop } from "../../reconciler/runner.ts";
import { fixedKinds } from "../../reconciler/served-kinds.ts";
import { nodeMeter } from "./node-metrics.ts";
import { GRACE_MS, planNode } from "./nodelifecycle.ts";
import { EvictionPace, ZoneHealth, zoneOf } from "./zones.ts";

const LEASE_NAMESPACE = "kube-node-lease";

/** The last sign of life of one node. */
interface Pulse {
  readonly renewTime: string | undefined;
  readonly heartbeat: string | undefined;
  /** On the clock that never jumps: an hour that was set is no hour of silence. */
  readonly atMs: number;
}

/**
 * Watches nodes for signs of life and lets conditions and taints follow.
 *
 * Keys are node names. A renewed Lease is only noted: the node's pending wake-up finds it. Times are of our own clock,
 * so a node whose clock is off is judged no worse; after a start, every node gets one whole grace period.
 */
export function nodeLifecycleLoop(cache: Cache, clock: Clock): Loop {
  const pulses = new Map<string, Pulse>();
  const known = new Set<string>();
  const pace = new EvictionPace();
  const health = new ZoneHealth();
  const beat = (name: string): Pulse => {
    const lease = cache.get(Lease, { namespace: LEASE_NAMESPACE, name });
    const node = cache.get(Node, { namespace: "", name });
    const ready = node?.status?.conditions?.find(({ type }) => type === "Ready");
    const renewTime = lease?.spec?.renewTime;
    const heartbeat = ready?.lastHeartbeatTime;
    const last = pulses.get(name);
    if (last && last.renewTime === renewTime && last.heartbeat === heartbeat) return last;
    const pulse = { renewTime, heartbeat, atMs: clock.monotonic() };
    pulses.set(name, pulse);
    return pulse;
  };
  return {
    name: "node-lifecycle-controller",
    eventSource: "node-controller",
    kinds: fixedKinds([Node, Lease, Pod]),
    meter: nodeMeter,
    keysOf({ kind, key, object }) {
      if (kind === Lease && key.namespace === LEASE_NAMESPACE) beat(key.name);
      if (kind !== Node) return [];
      const isAnotherPace = health.set(key.name, object as Node | undefined);
      if (!object) {
        pulses.delete(key.name);
        known.delete(key.name);
      }
      return isAnotherPace ? [key.name, ...health.ill] : [key.name];
    },
    decide(name, now) {
      const node = cache.get(Node, { namespace: "", name });
      if (!node) return undefined;
      const zone = zoneOf(node);
      const steadyMs = clock.monotonic();
      const aliveAt = now - (steadyMs - beat(name).atMs);
      const isOn = ({ spec }: Pod): boolean => spec?.nodeName === name;
      const observed = {
        node,
        aliveAt,
        mayEvictAt: now + pace.restMs(zone, health.intervalMs(zone), steadyMs),
        isNew: !known.has(name),
        // Only a silent node's Pods matter, and looking for them takes a walk over all.
        pods: now >= aliveAt + GRACE_MS ? cache.list(Pod, { where: isOn }) : [],
      };
      known.add(name);
      const { plan, beginsEviction } = planNode(observed, now);
      if (beginsEviction) pace.begun(zone, steadyMs);
      return { plan, primary: { kind: Node, object: node, observesGeneration: false } };
    },
  };
}
