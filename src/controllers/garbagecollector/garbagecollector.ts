import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/logger.ts";
import type { Client } from "../../client/client.ts";
import type { Loop } from "../../reconciler/runner.ts";
import type { ServedKinds } from "../../reconciler/served-kinds.ts";
import { decide, type OwnerState } from "./decide.ts";
import { isDeletingDependents, isOwner, OwnerGraph, type Item } from "./graph.ts";
import { OwnerLookup } from "./owner-lookup.ts";

/**
 * Deletes objects whose owners are all gone, in the background or before their owner; or sets them free.
 *
 * Keys are uids. The model is {@link OwnerGraph}; what it does not know is asked through {@link OwnerLookup}.
 * Guarantees: nothing is deleted unless the end of each owner was seen in a watch or told by the server, and the object
 * is still the version that was judged.
 * @param served every deletable kind that can have or be an owner, each storage once.
 * @spec k8s@1.36 pkg/controller/garbagecollector
 */
export function garbageCollectorLoop(
  served: ServedKinds,
  client: Client,
  clock: Clock,
  logger: Logger,
): Loop {
  const graph = new OwnerGraph();
  const lookup = new OwnerLookup(client, clock, logger, () => served.current());
  const stateOf = (item: Item, reference: Item["owners"][number]): OwnerState => {
    const owner = graph.get(reference.uid);
    if (owner && isOwner(item, reference, owner)) {
      return isDeletingDependents(owner) ? "waiting" : "solid";
    }
    return !owner && graph.isGone(reference.uid) ? "gone" : lookup.state(item, reference);
  };
  return {
    name: "garbage-collector-controller",
    kinds: {
      current: () => served.current(),
      onChange: (listener) =>
        served.onChange(() => {
          listener();
          lookup.kindsChanged();
        }),
    },
    meter(registry) {
      // Kinds come by ServedKinds, so there is no resync that could fail: it stays 0.
      registry
        .counter(
          "garbagecollector_controller_resources_sync_error_total",
          "Number of garbage collector resources sync errors",
        )
        .add([], 0);
      return {};
    },
    begin: (enqueue) => lookup.begin(enqueue),
    keysOf: (change) => graph.fold(change),
    decide(uid) {
      const item = graph.get(uid);
      if (!item) return undefined;
      const owners = (): readonly OwnerState[] =>
        item.owners.map((reference) => stateOf(item, reference));
      return { plan: decide({ item, dependents: graph.dependentsOf(uid), owners }) };
    },
  };
}
