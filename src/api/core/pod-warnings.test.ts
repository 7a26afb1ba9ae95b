import assert from "node:assert/strict";
import { it } from "node:test";
import { pod } from "../../../test/support/builders.ts";
import { podWarnings } from "./pod-warnings.ts";

it("a pod warns of what is allowed and hardly meant", () => {
  const app = {
    name: "app",
    env: [{ name: "A" }, { name: "A" }],
    ports: [{ containerPort: 1 }, { containerPort: 1 }],
    resources: { requests: { memory: "100m" } },
  };
  const spec = { containers: [app], nodeSelector: { "beta.kubernetes.io/os": "linux" } };
  assert.deepEqual(podWarnings(pod("p", { spec })), [
    'spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "kubernetes.io/os" instead',
    'spec.containers[0].resources.requests[memory]: fractional byte value "100m" is invalid, must be an integer',
    'spec.containers[0].env[1]: hides previous definition of "A", which may be dropped when using apply',
    "spec.containers[0].ports[1]: duplicate port definition with spec.containers[0].ports[0]",
  ]);
  assert.deepEqual(podWarnings(pod()), []);
});

it("a pod whose name is no host name warns of it", () => {
  assert.match(podWarnings(pod("a.b"))[0]!, /^metadata\.name: this is used in the Pod's hostname/);
});
