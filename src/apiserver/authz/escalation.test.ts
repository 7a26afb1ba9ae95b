import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Kind } from "../../api/machinery/kind.ts";
import type { KubeObject } from "../../api/machinery/object.ts";
import type { V1PolicyRule } from "../../gen/types.ts";
import { admissionCall } from "../../../test/support/admission-call.ts";
import { StaticCache } from "../../../test/support/static-cache.ts";
import { cached } from "../authn/cached-kinds.ts";
import { EscalationCheck } from "./escalation.ts";
import { RbacAuthorizer } from "./rbac-authorizer.ts";
import { RbacRules } from "./rbac-rules.ts";
import { compactRules, formatRule, missingRules } from "./rule-coverage.ts";

const apiGroup = "rbac.authorization.k8s.io";
const pods = (...verbs: string[]): V1PolicyRule => ({
  apiGroups: [""],
  resources: ["pods"],
  verbs,
});

describe("missingRules", () => {
  const deep: V1PolicyRule = {
    apiGroups: ["", "apps"],
    resources: ["pods", "x"],
    verbs: ["get", "list"],
  };
  const rows: readonly (readonly [V1PolicyRule, V1PolicyRule, string])[] = [
    [pods("get", "list"), pods("get"), ""],
    [pods("get"), pods("get", "list"), `{APIGroups:[""], Resources:["pods"], Verbs:["list"]}`],
    [pods("*"), pods("get", "impersonate"), ""],
    [pods("get"), pods("*"), `{APIGroups:[""], Resources:["pods"], Verbs:["*"]}`],
    [{ ...pods("get"), resources: ["*"] }, { ...pods("get"), resources: ["pods/log"] }, ""],
    [{ ...pods("get"), resources: ["*/log"] }, { ...pods("get"), resources: ["pods/log"] }, ""],
    [{ ...pods("get"), resourceNames: ["a"] }, { ...pods("get"), resourceNames: ["a"] }, ""],
    [
      { ...pods("get"), resourceNames: ["a"] },
      pods("get"),
      `{APIGroups:[""], Resources:["pods"], Verbs:["get"]}`,
    ],
    [pods("get"), { ...pods("get"), resourceNames: ["a"] }, ""],
    [
      { nonResourceURLs: ["/a/*"], verbs: ["get"] },
      { nonResourceURLs: ["/a/b", "/a/*"], verbs: ["get"] },
      "",
    ],
    [
      { nonResourceURLs: ["/a"], verbs: ["get"] },
      { nonResourceURLs: ["/a/*"], verbs: ["get"] },
      `{NonResourceURLs:["/a/*"], Verbs:["get"]}`,
    ],
    [
      pods("get"),
      deep,
      [
        `{APIGroups:[""], Resources:["pods"], Verbs:["list"]}`,
        `{APIGroups:[""], Resources:["x"], Verbs:["get" "list"]}`,
        `{APIGroups:["apps"], Resources:["pods"], Verbs:["get" "list"]}`,
        `{APIGroups:["apps"], Resources:["x"], Verbs:["get" "list"]}`,
      ].join("\n"),
    ],
  ];
  for (const [held, wanted, expected] of rows)
    it(`${formatRule(held)} lacks of ${formatRule(wanted)}`, () =>
      assert.equal(
        compactRules(missingRules([held], [wanted]))
          .map(formatRule)
          .join("\n"),
        expected,
      ));
});

/** alice holds `rule` everywhere; a ClusterRole "big" allows everything. */
function check(rule: V1PolicyRule) {
  const cache = new StaticCache();
  cache.put(cached.clusterRole, { metadata: { name: "own" }, rules: [rule] });
  cache.put(cached.clusterRole, {
    metadata: { name: "big" },
    rules: [{ apiGroups: ["*"], resources: ["*"], verbs: ["*"] }],
  });
  cache.put(cached.clusterRoleBinding, {
    metadata: { name: "own" },
    roleRef: { apiGroup, kind: "ClusterRole", name: "own" },
    subjects: [{ kind: "User", name: "alice" }],
  });
  const rules = new RbacRules(cache);
  const plugin = new EscalationCheck(rules, new RbacAuthorizer(rules));
  return (kind: Kind, object: KubeObject, old?: KubeObject, groups = ["devs"]): string => {
    const user = { name: "alice", groups };
    const call = admissionCall({ kind, object, user, ...(old ? { old } : {}) });
    assert.ok(plugin.handles(call));
    try {
      plugin.validate(call);
      return "";
    } catch (error) {
      return (error as Error).message;
    }
  };
}

describe("a role", () => {
  const role = (rule: V1PolicyRule) => ({ metadata: { name: "r", namespace: "a" }, rules: [rule] });
  it("may hold what its author holds", () =>
    assert.equal(check(pods("get"))(cached.role, role(pods("get"))), ""));
  it("may not hold more, in upstream's words", () =>
    assert.equal(
      check(pods("get"))(cached.role, role(pods("get", "delete"))),
      `roles.rbac.authorization.k8s.io "r" is forbidden: user "alice" (groups=["devs"]) is attempting to grant ` +
        `RBAC permissions not currently held:\n{APIGroups:[""], Resources:["pods"], Verbs:["delete"]}`,
    ));
  it("stands for a bounded number of combinations, or nobody could say who may grant it", () => {
    const many = Array.from({ length: 200 }, (_, at) => `x${at}`);
    const rule = { apiGroups: many, resources: many, verbs: many, resourceNames: many };
    assert.match(check(pods("*"))(cached.role, role(rule)), /over 20000 combinations/);
  });
  it("may hold more for system:masters, and for those who may escalate", () => {
    const masters = ["system:masters"];
    assert.equal(check(pods("get"))(cached.role, role(pods("*")), undefined, masters), "");
    const escalate = { apiGroups: [apiGroup], resources: ["roles"], verbs: ["escalate"] };
    assert.equal(check(escalate)(cached.role, role(pods("*"))), "");
  });
  it("may be relabelled by those who hold less", () =>
    assert.equal(check(pods("get"))(cached.role, role(pods("*")), role(pods("*"))), ""));
  it("that sums up others is for those who hold everything", () => {
    const sum = { metadata: { name: "r" }, aggregationRule: { clusterRoleSelectors: [] } };
    assert.match(
      check(pods("get"))(cached.clusterRole, sum),
      /must have cluster-admin privileges to use the aggregationRule$/,
    );
  });
});

describe("a binding", () => {
  const binding = (name: string) => ({
    metadata: { name: "b", namespace: "a" },
    roleRef: { apiGroup, kind: "ClusterRole", name },
    subjects: [{ kind: "User", name: "bob" }],
  });
  const bind = { apiGroups: [apiGroup], resources: ["clusterroles"], verbs: ["bind"] };
  const rows = [
    ["of what its author holds", pods("get"), "own", ""],
    [
      "of more",
      pods("get"),
      "big",
      /^rolebindings.rbac.authorization.k8s.io "b" is forbidden: user "alice"/,
    ],
    ["of more, by one who may bind", bind, "big", ""],
    ["of one role, by one who may bind that", { ...bind, resourceNames: ["big"] }, "big", ""],
    [
      "of another, by one who may not bind that",
      { ...bind, resourceNames: ["x"] },
      "big",
      /is forbidden/,
    ],
    [
      "of no role",
      pods("get"),
      "none",
      /^clusterroles?.rbac.authorization.k8s.io "none" not found$/,
    ],
  ] as const;
  for (const [name, rule, role, expected] of rows)
    it(name, () => {
      const message = check(rule)(cached.roleBinding, binding(role));
      if (expected === "") assert.equal(message, "");
      else assert.match(message, expected);
    });
});
