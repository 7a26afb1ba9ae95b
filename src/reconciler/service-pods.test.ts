import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Pod } from "../api/core/pod.ts";
import { Service } from "../api/core/service.ts";
import { formatKey } from "../api/machinery/object.ts";
import { StaticCache } from "../../test/support/static-cache.ts";
import { servicesOfPods } from "./service-pods.ts";

const service = (name: string, app: string): Service =>
  ({ metadata: { name, namespace: "d" }, spec: { selector: { app } } }) as Service;

const pod = (app: string, more: object = {}): Pod =>
  ({
    metadata: { name: "p", namespace: "d", labels: { app } },
    spec: { containers: [] },
    ...more,
  }) as unknown as Pod;

const placed = { spec: { containers: [], nodeName: "n" } };

//     before, after                                        concerned
const ROWS: readonly (readonly [string, Pod | undefined, Pod | undefined, string])[] = [
  ["a new Pod", undefined, pod("x"), "d/x"],
  ["a Pod that is gone", pod("y"), undefined, "d/y"],
  ["a Pod that nobody selects", undefined, pod("z"), ""],
  ["another label", pod("x"), pod("y"), "d/x d/y"],
  ["a node", pod("x"), pod("x", placed), "d/x"],
  ["nothing that an endpoint shows", pod("x"), pod("x", { status: { phase: "Pending" } }), ""],
];

describe("servicesOfPods", () => {
  const cache = new StaticCache().put(Service, service("x", "x")).put(Service, service("y", "y"));
  for (const [what, old, object, expected] of ROWS)
    it(`${what} → "${expected}"`, () => {
      const change = { kind: Pod, key: { namespace: "d", name: "p" }, old, object };
      assert.equal(servicesOfPods.keys(change, cache).map(formatKey).join(" "), expected);
      assert.deepEqual(servicesOfPods.keys(change, new StaticCache()), []);
    });
});
