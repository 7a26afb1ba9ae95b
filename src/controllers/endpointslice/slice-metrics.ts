import { Service } from "../../api/core/service.ts";
import { EndpointSlice } from "../../api/discovery/endpoint-slice.ts";
import { keyOf } from "../../api/machinery/object.ts";
import type { MetricRegistry } from "../../base/metrics.ts";
import type { CacheReader } from "../../client/cache.ts";
import type { Plan } from "../../reconciler/controller.ts";
import { exponentialBounds, type LoopMeter } from "../../reconciler/loop-meter.ts";
import { isTopologyAuto, trafficDistributionOf } from "./hints.ts";
import { ENDPOINTS_MAX, MANAGED_LABEL, MANAGER, SERVICE_LABEL } from "./slice-labels.ts";

/** Bounds of a histogram that names none. @spec prometheus client_golang DefBuckets */
const BOUNDS_DEFAULT = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/**
 * What the EndpointSlice controller tells of itself. States are counted over all slices when somebody asks.
 *
 * @spec k8s@1.36 staging/src/k8s.io/endpointslice/metrics
 */
export function sliceMeter(registry: MetricRegistry, cache: CacheReader): LoopMeter {
  const name = (rest: string): string => `endpoint_slice_controller_${rest}`;
  const perSync = exponentialBounds(2, 2, 15);
  const added = registry.histogram(
    name("endpoints_added_per_sync"),
    "Number of endpoints added on each Service sync",
    perSync,
  );
  const removed = registry.histogram(
    name("endpoints_removed_per_sync"),
    "Number of endpoints removed on each Service sync",
    perSync,
  );
  const changes = registry.counter(name("changes"), "Number of EndpointSlice changes", [
    "operation",
  ]);
  const changedSlices = registry.histogram(
    name("endpointslices_changed_per_sync"),
    "Number of EndpointSlices changed on each Service sync",
    BOUNDS_DEFAULT,
    ["topology", "traffic_distribution"],
  );
  const syncs = registry.counter(name("syncs"), "Number of EndpointSlice syncs", ["result"]);
  followStates(registry, cache, name);
  return {
    planned({ primary, plan }) {
      if (!primary) return () => {};
      const [before, after] = endpointsOf(plan, cache);
      added.observe([...after].filter((endpoint) => !before.has(endpoint)).length);
      removed.observe([...before].filter((endpoint) => !after.has(endpoint)).length);
      const service = primary.object as Service;
      return ({ applied: { outcome, results } }) => {
        syncs.add([outcome === "done" ? "success" : outcome === "lost" ? "stale" : "error"]);
        for (const index of results.keys()) changes.add([plan.writes![index]!.verb]);
        changedSlices.observe(results.size, [
          isTopologyAuto(service) ? "Auto" : "Disabled",
          trafficDistributionOf(service) ?? "",
        ]);
      };
    },
  };
}

function followStates(
  registry: MetricRegistry,
  cache: CacheReader,
  name: (rest: string) => string,
): void {
  const endpoints = registry.gauge(name("endpoints_desired"), "Number of endpoints desired");
  const slices = registry.gauge(name("num_endpoint_slices"), "Number of EndpointSlices");
  const wanted = registry.gauge(
    name("desired_endpoint_slices"),
    "Number of EndpointSlices that would exist with perfect endpoint allocation",
  );
  const services = registry.gauge(
    name("services_count_by_traffic_distribution"),
    "Number of Services using some specific trafficDistribution",
    ["traffic_distribution"],
  );
  registry.beforeText(() => {
    const own = cache.list(EndpointSlice, {
      where: ({ metadata }) => metadata?.labels?.[MANAGED_LABEL] === MANAGER,
    });
    const groups = new Map<string, number>();
    for (const slice of own) {
      const key = groupOf(slice);
      groups.set(key, (groups.get(key) ?? 0) + (slice.endpoints ?? []).length);
    }
    slices.set(own.length);
    endpoints.set([...groups.values()].reduce((sum, count) => sum + count, 0));
    wanted.set(
      [...groups.values()].reduce(
        (sum, count) => sum + Math.max(1, Math.ceil(count / ENDPOINTS_MAX)),
        0,
      ),
    );
    services.clear();
    for (const service of cache.list(Service)) {
      const distribution = trafficDistributionOf(service);
      if (distribution !== undefined) services.add(1, [distribution]);
    }
  });
}

/** Slices of a group could be one, were they not full. */
function groupOf({ metadata, addressType, ports }: EndpointSlice): string {
  const { namespace, labels } = metadata ?? {};
  return JSON.stringify([namespace, labels?.[SERVICE_LABEL], addressType, ports ?? []]);
}

/** The endpoints of the slices that are written, before and after. */
function endpointsOf(
  plan: Plan,
  cache: CacheReader,
): readonly [ReadonlySet<string>, ReadonlySet<string>] {
  const [before, after] = [new Set<string>(), new Set<string>()];
  const note = (slice: EndpointSlice | undefined, into: Set<string>): void => {
    for (const { targetRef, addresses } of slice?.endpoints ?? [])
      into.add(`${targetRef?.uid ?? ""} ${addresses.join()}`);
  };
  for (const write of plan.writes ?? []) {
    if (write.verb === "delete" || write.verb === "update") {
      const key = write.verb === "delete" ? write.key : keyOf(write.object);
      note(cache.get(EndpointSlice, key), before);
    }
    if (write.verb === "create" || write.verb === "update")
      note(write.object as EndpointSlice, after);
  }
  return [before, after];
}
