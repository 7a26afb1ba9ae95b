import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parse } from "yaml";
import { kubeconfigText, mergeKubeconfig, withoutCluster } from "./kubeconfig.ts";

const access = {
  name: "a",
  server: "https://127.0.0.1:6443",
  ca: "CA",
  certificate: "C",
  key: "K",
};

describe("mergeKubeconfig", () => {
  it("keeps what others put there, and selects the cluster", () => {
    const before = kubeconfigText({ ...access, name: "other" }) + "extensions: [{name: x}]\n";
    const after = parse(mergeKubeconfig(before, access)) as Record<string, unknown>;
    assert.deepEqual(
      (after["contexts"] as { name: string }[]).map((context) => context.name),
      ["other", "a"],
    );
    assert.equal(after["current-context"], "a");
    assert.deepEqual(after["extensions"], [{ name: "x" }]);
  });

  it("replaces its own entries instead of doubling them", () => {
    const twice = parse(
      mergeKubeconfig(kubeconfigText(access), { ...access, server: "https://127.0.0.1:7443" }),
    ) as { clusters: { cluster: { server: string } }[] };
    assert.deepEqual(
      twice.clusters.map(({ cluster }) => cluster.server),
      ["https://127.0.0.1:7443"],
    );
  });

  it("refuses a file that is something else", () => {
    assert.throws(() => mergeKubeconfig("- a list\n", access), /expected a kubeconfig/);
  });
});

describe("withoutCluster", () => {
  it("undoes the merge and deselects", () => {
    const other = kubeconfigText({ ...access, name: "other" });
    const after = parse(withoutCluster(mergeKubeconfig(other, access), "a")) as {
      contexts: { name: string }[];
      "current-context": string;
    };
    assert.deepEqual(
      after.contexts.map((context) => context.name),
      ["other"],
    );
    assert.equal(after["current-context"], "");
  });
});
