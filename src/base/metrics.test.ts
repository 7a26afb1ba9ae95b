import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MetricRegistry } from "./metrics.ts";

describe("MetricRegistry", () => {
  it("prints counters, gauges and histograms as Prometheus reads them", () => {
    const registry = new MetricRegistry();
    const requests = registry.counter("requests_total", "Requests.", ["verb", "code"]);
    requests.add(["GET", "200"]);
    requests.add(["GET", "200"]);
    requests.add(['say "hi"\n', "404"], 3);
    registry.gauge("watchers", "Open watches.").set(5);
    const seconds = registry.histogram("seconds", "Latency.", [0.1, 1], ["verb"]);
    for (const value of [0.05, 0.5, 0.1, 7]) seconds.observe(value, ["GET"]);
    requests.add(["PUT", "200"]);
    requests.drop(["PUT", "200"]);
    seconds.observe(1, ["PUT"]);
    seconds.drop(["PUT"]);
    assert.equal(
      registry.text(),
      `# HELP requests_total Requests.
# TYPE requests_total counter
requests_total{verb="GET",code="200"} 2
requests_total{verb="say \\"hi\\"\\n",code="404"} 3
# HELP watchers Open watches.
# TYPE watchers gauge
watchers 5
# HELP seconds Latency.
# TYPE seconds histogram
seconds_bucket{verb="GET",le="0.1"} 2
seconds_bucket{verb="GET",le="1"} 3
seconds_bucket{verb="GET",le="+Inf"} 4
seconds_sum{verb="GET"} 7.65
seconds_count{verb="GET"} 4
`,
    );
  });
});
