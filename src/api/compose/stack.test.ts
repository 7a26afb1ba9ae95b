import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { stackResource, type ComposeService, type Stack } from "./stack.ts";

const FACTS = { now: 0, user: "u" };
const { strategy, columns } = stackResource;

function stackOf(service: ComposeService, name = "app", more: object = {}): Stack {
  return { metadata: { name }, spec: { services: [{ name: "web", image: "web:1", ...service }], ...more } }; // prettier-ignore
}

const problems = (stack: Stack): string[] =>
  strategy
    .validate(stack)
    .map(({ type, field }) => `${type} ${field.replace("spec.services[0]", "…")}`);

describe("Stack: what is refused, and where", () => {
  const ROWS: readonly (readonly [string, ComposeService, string])[] = [
    ["nothing", {}, ""],
    ["no image", { image: "" }, "Required ….image"],
    ["no name", { name: "" }, "Required ….name"],
    ["a name that no Service may have", { name: "my_web" }, "Invalid ….name"],
    ["a name too long for its published Service", { name: "a".repeat(57), ports: [{ target: 1, published: 1 }] }, "Invalid ….name"], // prettier-ignore
    ["a port", { ports: [{ target: 0 }, { target: 1, published: 70000 }] }, "Invalid ….ports[0].target, Invalid ….ports[1].published"], // prettier-ignore
    ["a protocol", { ports: [{ target: 1, protocol: "icmp" }] }, "NotSupported ….ports[0].protocol"], // prettier-ignore
    ["an internal port", { internal_ports: [{ port: 1, protocol: "x" }] }, "NotSupported ….internal_ports[0].protocol"], // prettier-ignore
    ["a mode", { deploy: { mode: "replicated-job" } }, "NotSupported ….deploy.mode"],
    ["a count", { deploy: { replicas: -1 } }, "Invalid ….deploy.replicas"],
    ["a label", { deploy: { labels: { rule: "Host(`a`)" } } }, "Invalid ….deploy.labels[rule]"],
    ["a restart policy", { deploy: { restart_policy: { condition: "x" } } }, "NotSupported ….deploy.restart_policy.condition"], // prettier-ignore
    ["an amount", { deploy: { resources: { limits: { cpus: "half" } } } }, "Invalid ….deploy.resources.limits.cpus"], // prettier-ignore
    [
      "an operator",
      { deploy: { placement: { constraints: { Hostname: { Operator: ">", Value: "a" } } } } },
      "NotSupported ….deploy.placement.constraints.Hostname.Operator",
    ],
    ["a folder that is not whole", { volumes: [{ type: "bind", source: "./a", target: "/a" }] }, "Invalid ….volumes[0].source"], // prettier-ignore
    ["a volume's name", { volumes: [{ type: "volume", source: "my_data", target: "/a" }] }, "Invalid ….volumes[0].source"], // prettier-ignore
    ["a volume on every node", { deploy: { mode: "global" }, volumes: [{ type: "volume", target: "/a" }] }, "Forbidden ….volumes"], // prettier-ignore
    ["a kind of volume", { volumes: [{ type: "npipe", target: "/a" }] }, "NotSupported ….volumes[0].type"], // prettier-ignore
    ["a variable", { environment: { "a=b": "1" } }, "Invalid ….environment[a=b]"],
    ["a line of hosts", { extra_hosts: ["a"] }, "Invalid ….extra_hosts[0]"],
    ["a host name", { hostname: "a.b" }, "Invalid ….hostname"],
  ];
  for (const [what, service, expected] of ROWS)
    it(what, () => assert.equal(problems(stackOf(service)).join(", "), expected));

  it("a stack without services, or with a name that no label may have", () => {
    assert.deepEqual(problems({ metadata: { name: "app" } }), ["Required spec.services"]);
    assert.deepEqual(problems(stackOf({}, "a".repeat(60))), ["Invalid ….name"]);
  });

  it("two services that would make one Service", () => {
    const ports = [{ target: 1, published: 1 }];
    const services = [
      { name: "web", image: "a", ports },
      { name: "web-published", image: "a" },
    ];
    assert.deepEqual(problems({ metadata: { name: "app" }, spec: { services } }), [
      "Duplicate ….name",
      "Duplicate spec.services[1].name",
    ]);
  });

  it("a secret whose name no object may have", () => {
    assert.deepEqual(problems(stackOf({}, "app", { secrets: { My_Key: {} } })), [
      "Invalid spec.secrets[My_Key]",
    ]);
  });
});

describe("Stack", () => {
  const status = { phase: "Failure", message: "no" };

  it("an older verdict does not outlive a change of what it was about", () => {
    const old = { ...stackOf({}), status };
    assert.deepEqual(strategy.prepareForUpdate(stackOf({}), old, FACTS).status, status);
    const changed = strategy.prepareForUpdate(stackOf({ image: "web:2" }), old, FACTS);
    assert.equal(changed.status?.phase, "ReconciliationPending");
    assert.equal(strategy.prepareForCreate(old, FACTS).status?.phase, "ReconciliationPending");
  });

  it("columns", () => {
    const ports = [{ target: 80, published: 8080 }, { target: 81 }];
    const cells = columns.map((column) => column.cell({ ...stackOf({ ports }), status }, 0));
    assert.deepEqual(cells, ["app", 1, "web: 8080,*", "Failure (no)", ""]);
  });
});
