import assert from "node:assert/strict";
import { routeOf, subresourceOf } from "../../../src/kubelet/server/route.ts";
import type { Draw } from "../draw.ts";
import { inputOf, parts, type FuzzTarget } from "../target.ts";

/** The kubelet's paths: what runs or reads something in a container needs the right to the whole node (`proxy`). */
export const kubeletPath: FuzzTarget = {
  name: "kubelet-path",
  runs: 3000,
  make: (draw) => inputOf(pathOf(draw)),
  check(input) {
    const path = parts<string>(input);
    const route = routeOf(path);
    const guard = subresourceOf(path);
    if (!route) return;
    assert.ok(GUARDS.has(route.kind), `an unknown route: ${String(route.kind)}`);
    assert.equal(guard, GUARDS.get(route.kind));
  },
};

/** @spec k8s@1.36 pkg/kubelet/server/auth.go */
const GUARDS: ReadonlyMap<string, string> = new Map([
  ["health", "healthz"],
  ["pods", "pods"],
  ["metrics", "metrics"],
  ["resourceMetrics", "metrics"],
  ["cadvisorMetrics", "metrics"],
  ["statsSummary", "stats"],
  ...["logs", "run", "exec", "attach", "portForward"].map((kind) => [kind, "proxy"] as const),
]);

function pathOf(draw: Draw): string {
  const words = draw.times(draw.integer(7), () =>
    draw.chance(85) ? draw.pick(WORDS) : encodeURI(draw.text().replace(/[\ud800-\udfff]/g, "")),
  );
  const path = `/${words.join(draw.pick(["/", "/", "/", "%2f", "//"]))}`;
  return draw.chance(95) ? path : path.slice(1);
}

const WORDS = [
  ...["exec", "run", "attach", "containerLogs", "portForward", "pods", "metrics", "stats", "logs"],
  ...["healthz", "cadvisor", "resource", "summary", "default", "pod", "app", "..", ".", "%2e%2e"],
  ...["constructor", "__proto__", "EXEC", "exec%2f", "proxy", ""],
];
