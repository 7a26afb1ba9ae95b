import type { Clock } from "../base/clock.ts";
import type { Nodes, Look } from "./look.ts";
import type { NodeInfo } from "./node-info.ts";
import type { PodClass } from "./pod-class.ts";

/** Parts of a try, by upstream's names. A part that has nothing to do here (Permit, PostBind) is not told of. */
export type ExtensionPoint =
  "PreFilter" | "Filter" | "PostFilter" | "Score" | "Reserve" | "PreBind" | "Bind";

/** @spec k8s@1.36 scheduler framework Code.String */
export type PointStatus = "Success" | "Unschedulable" | "UnschedulableAndUnresolvable" | "Error";

/** Where the times of one profile go. */
export interface TimeSink {
  point(point: ExtensionPoint, status: PointStatus, tookMs: number): void;
  plugin(plugin: string, point: ExtensionPoint, status: PointStatus, tookMs: number): void;
}

/** How many decisions one of which has its plugins timed. Halving it costs each decision some 50 ns more. */
const SAMPLE = 64;

/**
 * Tells how long the parts of a decision took.
 *
 * Cost: a look at the clock for each part. Plugins run for many Pods at once and for changed nodes alone, so of one decision in
 * SAMPLE they are run once more, each for the chosen node, as upstream times them for each node of a tenth of its cycles.
 * @spec k8s@1.36 pkg/scheduler/metrics FrameworkExtensionPointDuration, PluginExecutionDuration
 */
export class CycleTimes {
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #sink: TimeSink;
  #lapMs = 0;
  #decisions = 0;

  constructor(clock: Pick<Clock, "monotonic">, sink: TimeSink) {
    this.#clock = clock;
    this.#sink = sink;
  }

  begin(): void {
    this.#lapMs = this.#clock.monotonic();
  }

  /** What there was since the last one, or the beginning. */
  lap(point: ExtensionPoint, status: PointStatus = "Success"): void {
    const nowMs = this.#clock.monotonic();
    this.#sink.point(point, status, nowMs - this.#lapMs);
    this.#lapMs = nowMs;
  }

  /** A Pod of that class goes to `node`. */
  decided(podClass: PodClass, look: Look, node: NodeInfo, cluster: Nodes): void {
    if (this.#decisions++ % SAMPLE === 0) this.#timePlugins(podClass, look, node, cluster);
  }

  #timePlugins(podClass: PodClass, look: Look, node: NodeInfo, cluster: Nodes): void {
    for (const { plugin, input } of podClass.readers)
      if (plugin.gate) this.#time(plugin.name, "PreFilter", () => plugin.gate?.(input, cluster));
    for (const { plugin, test } of podClass.filters) this.#time(plugin, "Filter", () => test(node));
    for (const { plugin, input } of podClass.readers) {
      const scorer = plugin.scoring?.scorer(input, cluster);
      if (scorer) this.#time(plugin.name, "Score", () => void scorer(node));
    }
    const slots = Int32Array.of(node.slot);
    const scores = new Int32Array(look.rules.length > 0 ? cluster.nodes.length : 0);
    for (const { plugin, topology } of look.rules) {
      if (topology.test) this.#time(plugin, "Filter", () => topology.test?.(node.slot));
      if (topology.rank) this.#time(plugin, "Score", () => void topology.rank?.(slots, 1, scores));
    }
  }

  /** `run` returns why not, if so. */
  #time(plugin: string, point: ExtensionPoint, run: () => unknown): void {
    const startMs = this.#clock.monotonic();
    const refusal = run();
    const tookMs = this.#clock.monotonic() - startMs;
    this.#sink.plugin(plugin, point, refusal === undefined ? "Success" : "Unschedulable", tookMs);
  }
}
