import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { rolesOf } from "./roles.ts";
import { StateFolder } from "./state-folder.ts";

describe("rolesOf", () => {
  const roles = rolesOf(
    { node: "node", entry: "skiff.cjs", superviseScript: "supervise.sh" },
    new StateFolder("/home", "two"),
    {
      schemaVersion: 1,
      name: "two",
      apiPort: 6444,
      ranges: {
        nodeCidr: "10.88.1.0/24",
        podCidr: "10.245.0.0/16",
        serviceCidr: "10.97.0.0/16",
      },
      nodes: [{ name: "two-1", ip: "10.88.1.2" }],
      given: { bridge: "", table: "", folders: [] },
    },
    "debug",
  );
  const valueOf = (role: string, flag: string): string | undefined => {
    const words = roles.find(({ name }) => name === role)!.command;
    return words[words.indexOf(flag) + 1];
  };

  // An agent with another cluster's range masquerades what its own Pods send to Pods of other nodes.
  for (const [role, flag, value] of [
    ["server", "--pod-cidr", "10.245.0.0/16"],
    ["server", "--service-cidr", "10.97.0.0/16"],
    ["agent-two-1", "--pod-cidr", "10.245.0.0/16"],
    ["agent-two-1", "--cluster-dns", "10.97.0.10"],
    ["server", "--log-level", "debug"],
    ["agent-two-1", "--log-level", "debug"],
  ] as const)
    it(`gives ${role} the cluster's own ${flag}`, () => assert.equal(valueOf(role, flag), value));
});
