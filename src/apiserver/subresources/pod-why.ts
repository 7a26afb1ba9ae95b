import type { Pod } from "../../api/core/pod.ts";
import { serviceUnavailable } from "../../api/machinery/status-errors.ts";
import { objectResponse } from "../api-response.ts";
import { Lookup } from "../connect/lookup.ts";
import type { SubresourceHandler } from "./subresource.ts";

/** Explains where a Pod is or is not; `undefined` as long as no scheduler runs in this server. */
export type Explain = () => ((pod: Pod) => object) | undefined;

/**
 * `GET …/pods/NAME/why`: what the scheduler makes of every node for this Pod, and what would have to change.
 *
 * Skiff's own. Whoever may `get` `pods/why` learns names, labels' shortcomings and free room of all nodes: it is in no role by
 * itself but those that hold everything.
 */
export function podWhy(explain: Explain): SubresourceHandler {
  return {
    group: "",
    plural: "pods",
    subresource: "why",
    methods: ["GET"],
    kind: { group: "", version: "v1", kind: "Pod" },
    handle(parts, { info }) {
      const pod = new Lookup(parts).pod(info.namespace, info.name);
      const known = explain();
      if (!known) throw serviceUnavailable("no scheduler runs in this server");
      return Promise.resolve(objectResponse(200, known(pod)));
    },
  };
}
