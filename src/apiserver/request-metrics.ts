import type { Counter, Histogram, MetricRegistry } from "../base/metrics.ts";
import type { RequestInfo } from "./request.ts";
import type { ResourceTable } from "./resource-table.ts";

/** Seconds. @spec k8s@1.36 apiserver endpoints/metrics request_duration_seconds (a coarser choice) */
const BUCKETS = [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.5, 2, 3, 5, 10, 30, 60];

/** Kinds of requests that are found at once. All that clients ask for are some hundreds; doubling costs 200 kB. */
const CELLS_MAX = 2048;

/** @spec k8s@1.36 apiserver endpoints/metrics/metrics.go */
export class RequestMetrics {
  readonly #total: Counter;
  readonly #seconds: Histogram;

  readonly #resources: ResourceTable;
  /** By what is counted together; names that clients make up fill it at most once. */
  readonly #cells = new Map<string, (elapsedSeconds: number) => void>();

  constructor(registry: MetricRegistry, resources: ResourceTable) {
    this.#resources = resources;
    this.#total = registry.counter(
      "apiserver_request_total",
      "Counter of apiserver requests broken out for each verb, dry run value, group, version, resource, scope, component, and HTTP response code.",
      [
        "code",
        "component",
        "dry_run",
        "group",
        "resource",
        "scope",
        "subresource",
        "verb",
        "version",
      ],
    );
    this.#seconds = registry.histogram(
      "apiserver_request_duration_seconds",
      "Response latency distribution in seconds for each verb, dry run value, group, version, resource, subresource, scope and component.",
      BUCKETS,
      ["component", "dry_run", "group", "resource", "scope", "subresource", "verb", "version"],
    );
  }

  record(method: string, info: RequestInfo | undefined, code: number, elapsedMs: number): void {
    if (!info?.isResource) return this.#cellOf(method, info, code)(elapsedMs / 1000);
    const { verb, group, version, plural, subresource } = info;
    const scope = scopeOf(info);
    const key = `${code} ${verb} ${group}/${version}/${plural}/${subresource} ${scope}`;
    let cell = this.#cells.get(key);
    if (!cell) {
      cell = this.#cellOf(method, info, code);
      if (this.#cells.size < CELLS_MAX) this.#cells.set(key, cell);
    }
    cell(elapsedMs / 1000);
  }

  /** Where requests like this one are counted: takes the seconds that one took. */
  #cellOf(
    method: string,
    info: RequestInfo | undefined,
    code: number,
  ): (elapsedSeconds: number) => void {
    // Names of unknown resources come from clients: they must not become series.
    const isKnown = info?.isResource && this.#resources.find(info.group, info.version, info.plural);
    const known = isKnown ? info : undefined;
    const labels = [
      "apiserver",
      "",
      known?.group ?? "",
      known?.plural ?? "",
      known ? scopeOf(known) : "",
      known ? (SUBRESOURCES.has(known.subresource) ? known.subresource : "") : "",
      known ? verbLabel(known.verb) : METHODS.has(method) ? method : "other",
      known?.version ?? "",
    ];
    const count = this.#total.adder([String(code), ...labels]);
    // The time that a watch is open says nothing about latency.
    if (known?.verb === "watch") return count;
    const observe = this.#seconds.observer(labels);
    return (elapsedSeconds) => {
      count();
      observe(elapsedSeconds);
    };
  }
}

/** Named in metrics; others come from clients. */
const SUBRESOURCES = new Set(
  "status scale binding eviction log exec attach portforward proxy token ephemeralcontainers resize finalize approval".split(
    " ",
  ),
);
const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

function scopeOf(info: RequestInfo): string {
  if (info.name !== "") return "resource";
  return info.namespace === "" ? "cluster" : "namespace";
}

function verbLabel(verb: string): string {
  switch (verb) {
    case "create":
      return "POST";
    case "update":
      return "PUT";
    default:
      return verb.toUpperCase();
  }
}
