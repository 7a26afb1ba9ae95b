import { Node } from "../../api/core/node.ts";
import type { MetricRegistry } from "../../base/metrics.ts";
import type { CacheReader } from "../../client/cache.ts";
import { exponentialBounds, type LoopMeter } from "../../reconciler/loop-meter.ts";
import { readinessOf } from "../../reconciler/node-state.ts";
import { isEvicting } from "./node-taints.ts";
import { zoneOf } from "./zones.ts";

/**
 * What the controller of nodes' lives tells of itself. The state of zones is counted when somebody asks.
 *
 * There is no round over all nodes here, therefore no `update_all_nodes_health_duration_seconds`.
 * @spec k8s@1.36 pkg/controller/nodelifecycle/metrics.go
 */
export function nodeMeter(registry: MetricRegistry, cache: CacheReader): LoopMeter {
  const zone = ["zone"];
  const size = registry.gauge(
    "node_collector_zone_size",
    "Gauge measuring number of registered Nodes per zones.",
    zone,
  );
  const health = registry.gauge(
    "node_collector_zone_health",
    "Gauge measuring percentage of healthy nodes per zone.",
    zone,
  );
  const unhealthy = registry.gauge(
    "node_collector_unhealthy_nodes_in_zone",
    "Gauge measuring number of not Ready Nodes per zones.",
    zone,
  );
  const evictions = registry.counter(
    "node_collector_evictions_total",
    "Number of Node evictions that happened since current instance of NodeController started.",
    zone,
  );
  const seconds = registry.histogram(
    "node_collector_update_node_health_duration_seconds",
    "Duration in seconds for NodeController to update the health of a single node.",
    exponentialBounds(0.001, 4, 8),
  );
  registry.beforeText(() => {
    const zones = new Map<string, { nodes: number; ready: number }>();
    for (const node of cache.list(Node)) {
      const counts = zones.get(zoneOf(node)) ?? { nodes: 0, ready: 0 };
      counts.nodes++;
      if (readinessOf(node) === "True") counts.ready++;
      zones.set(zoneOf(node), counts);
    }
    for (const gauge of [size, health, unhealthy]) gauge.clear();
    for (const [name, { nodes, ready }] of zones) {
      size.set(nodes, [name]);
      health.set((100 * ready) / nodes, [name]);
      unhealthy.set(nodes - ready, [name]);
    }
  });
  return {
    planned:
      ({ primary }) =>
      ({ applied, tookMs }) => {
        seconds.observe(tookMs / 1000);
        const node = primary?.object as Node | undefined;
        const isBegun = [...applied.results.values()].some(
          (result) => result.kind === Node.kind && isEvicting(result as Node),
        );
        if (node && isBegun && !isEvicting(node)) evictions.add([zoneOf(node)]);
      },
  };
}
