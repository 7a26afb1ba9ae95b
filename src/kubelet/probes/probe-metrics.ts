import { MetricRegistry, type Counter, type Histogram } from "../../base/metrics.ts";
import type { V1Pod } from "../../gen/types.ts";
import type { ProbeKind } from "./prober.ts";

/** Seconds. @spec Prometheus client DefBuckets */
const BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** What probes of this node's Pods have answered, and how long they took. @spec k8s@1.36 pkg/kubelet/prober/prober_manager.go */
export class ProbeMetrics {
  readonly #registry = new MetricRegistry();
  readonly #total: Counter;
  readonly #seconds: Histogram;
  /** By the Pod's uid: the labels that are counted for it. */
  readonly #known = new Map<string, Map<string, readonly [string[], string[]]>>();

  constructor() {
    this.#total = this.#registry.counter(
      "prober_probe_total",
      "Liveness, readiness and startup probes, by what they answered.",
      ["container", "namespace", "pod", "pod_uid", "probe_type", "result"],
    );
    this.#seconds = this.#registry.histogram(
      "prober_probe_duration_seconds",
      "How long a probe took.",
      BOUNDS,
      ["container", "namespace", "pod", "probe_type"],
    );
  }

  record(
    { metadata }: V1Pod,
    container: string,
    kind: ProbeKind,
    isSuccess: boolean,
    seconds: number,
  ): void {
    const { name = "", namespace = "", uid = "" } = metadata ?? {};
    const type = kind[0]!.toUpperCase() + kind.slice(1);
    const counted = [container, namespace, name, uid, type, isSuccess ? "successful" : "failed"];
    const timed = [container, namespace, name, type];
    this.#total.add(counted);
    this.#seconds.observe(seconds, timed);
    const known = this.#known.get(uid) ?? new Map<string, readonly [string[], string[]]>();
    this.#known.set(uid, known.set(counted.join(), [counted, timed]));
  }

  /** The Pod is gone: so is what was counted for it. */
  forget(podUid: string): void {
    for (const [counted, timed] of this.#known.get(podUid)?.values() ?? []) {
      this.#total.drop(counted);
      this.#seconds.drop(timed);
    }
    this.#known.delete(podUid);
  }

  text(): string {
    return this.#registry.text();
  }
}
