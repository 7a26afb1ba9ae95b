import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ClusterRole } from "../../api/rbac/cluster-role.ts";
import { StaticCache } from "../../../test/support/static-cache.ts";
import { userRoles } from "../../apiserver/authz/policy/user-roles.ts";
import { clusterRoleAggregation, plan } from "./clusterroleaggregation.ts";

/** `a=1 get+list`: a role with a label and a rule for each word. */
function role(name: string, label: string, ...verbs: string[]): ClusterRole {
  const [key = "", value = ""] = label.split("=");
  return {
    metadata: { name, labels: { [key]: value } },
    rules: verbs.map((verb) => ({ verbs: [verb] })),
  };
}

const sum = (verbs: string, ...labels: readonly string[]): ClusterRole => ({
  metadata: { name: "sum", labels: { a: "1" } },
  aggregationRule: {
    clusterRoleSelectors: labels.map((label) => {
      const [key = "", value = ""] = label.split("=");
      return label === "" ? {} : { matchLabels: { [key]: value } };
    }),
  },
  rules: verbs === "" ? [] : verbs.split(" ").map((verb) => ({ verbs: [verb] })),
});

/** The verbs of the rules that are written; `same`: nothing is. */
function written(of: ClusterRole, ...others: readonly ClusterRole[]): string {
  const cache = new StaticCache().put(ClusterRole, of);
  for (const other of others) cache.put(ClusterRole, other);
  const observed = clusterRoleAggregation.observe(cache, { namespace: "", name: "sum" });
  const [write] = plan(observed!).writes ?? [];
  if (write?.verb !== "update") return "same";
  return (write.object as ClusterRole).rules!.map(({ verbs }) => verbs.join("+")).join(" ");
}

describe("clusterRoleAggregation", () => {
  const one = role("one", "a=1", "get");
  const two = role("two", "a=1", "list", "get");
  const other = role("other", "b=1", "watch");

  it("sums up what it selects, by name, each rule once", () =>
    assert.equal(written(sum("", "a=1"), two, one, other), "get list"));

  it("of several selectors, in their order", () =>
    assert.equal(written(sum("", "b=1", "a=1"), one, other), "watch get"));

  it("takes away what no part has any more", () =>
    assert.equal(written(sum("get drop", "a=1"), one), "get"));

  it("writes nothing when it is right", () => {
    assert.equal(written(sum("get list", "a=1"), one, two), "same");
    assert.equal(written(sum("", "a=1")), "same");
  });

  it("is not its own part", () => assert.equal(written(sum("own", "a=1"), one), "get"));

  it("leaves alone what is no sum", () => {
    const cache = new StaticCache().put(ClusterRole, one);
    assert.equal(clusterRoleAggregation.observe(cache, { namespace: "", name: "one" }), undefined);
  });

  it("looks at all sums when any role changes", () => {
    const cache = new StaticCache().put(ClusterRole, sum("", "a=1")).put(ClusterRole, one);
    const key = { namespace: "", name: "one" };
    const change = { kind: ClusterRole, key, old: undefined, object: one };
    const [trigger] = clusterRoleAggregation.triggers;
    assert.deepEqual(trigger!.keys(change, cache), [{ namespace: "", name: "sum" }]);
  });

  it("finds the roles that every cluster has complete", () => {
    const cache = new StaticCache();
    for (const one of userRoles) cache.put(ClusterRole, one);
    for (const name of ["admin", "edit", "view"]) {
      const observed = clusterRoleAggregation.observe(cache, { namespace: "", name });
      assert.deepEqual(plan(observed!), {}, name);
    }
  });
});
