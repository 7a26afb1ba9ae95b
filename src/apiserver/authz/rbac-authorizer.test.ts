import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { V1PolicyRule } from "../../gen/types.ts";
import { StaticCache } from "../../../test/support/static-cache.ts";
import { cached } from "../authn/cached-kinds.ts";
import type { UserInfo } from "../request.ts";
import { AuthorizerChain } from "./authorizer-chain.ts";
import type { AuthorizedInfo } from "./authorizer.ts";
import { forbiddenCall } from "./denial.ts";
import { RbacAuthorizer } from "./rbac-authorizer.ts";
import { RbacRules } from "./rbac-rules.ts";

const apiGroup = "rbac.authorization.k8s.io";
const alice: UserInfo = { name: "alice", groups: ["devs", "system:authenticated"] };

/** `list pods.apps/scale in NAMESPACE/NAME`, or `get /path`. */
function ask(text: string): AuthorizedInfo {
  const [verb = "", what = "", , where = "/"] = text.split(" ");
  const nothing = {
    group: "",
    version: "v1",
    plural: "",
    subresource: "",
    namespace: "",
    name: "",
  };
  if (what.startsWith("/")) return { isResource: false, verb, path: what, ...nothing };
  const [resource = "", subresource = ""] = what.split("/");
  const [plural = "", group = ""] = resource.split(/\.(.*)/);
  const [namespace = "", name = ""] = where.split("/");
  return {
    isResource: true,
    verb,
    path: "",
    group,
    version: "v1",
    plural,
    subresource,
    namespace,
    name,
  };
}

function world() {
  const cache = new StaticCache();
  const rules = new RbacRules(cache);
  const authorizer = new RbacAuthorizer(rules);
  const grant = (rule: V1PolicyRule, namespace = ""): void => {
    const meta = { name: "r" };
    const subjects = [{ apiGroup, kind: "User", name: "alice" }];
    if (namespace === "") {
      cache.put(cached.clusterRole, { metadata: meta, rules: [rule] });
      const roleRef = { apiGroup, kind: "ClusterRole", name: "r" };
      cache.put(cached.clusterRoleBinding, { metadata: { name: "b" }, roleRef, subjects });
    } else {
      cache.put(cached.role, { metadata: { ...meta, namespace }, rules: [rule] });
      const roleRef = { apiGroup, kind: "Role", name: "r" };
      cache.put(cached.roleBinding, { metadata: { name: "b", namespace }, roleRef, subjects });
    }
  };
  return { cache, authorizer, grant };
}

describe("a rule of a ClusterRole", () => {
  const pods = { apiGroups: [""], resources: ["pods"], verbs: ["get", "list"] };
  const rows: readonly (readonly [V1PolicyRule, string, boolean])[] = [
    [pods, "get pods in a/x", true],
    [pods, "list pods in a/", true],
    [pods, "list pods", true],
    [pods, "delete pods in a/x", false],
    [pods, "get pods.metrics.k8s.io in a/x", false],
    [pods, "get pods/log in a/x", false],
    [pods, "get secrets in a/x", false],
    [{ ...pods, resources: ["pods/log"] }, "get pods/log in a/x", true],
    [{ ...pods, resources: ["pods/log"] }, "get pods in a/x", false],
    [{ ...pods, resources: ["pods/*"] }, "get pods/log in a/x", false],
    [{ ...pods, resources: ["*"] }, "get secrets/anything in a/x", true],
    [
      { ...pods, resources: ["*/scale"], apiGroups: ["*"] },
      "get deployments.apps/scale in a/x",
      true,
    ],
    [{ ...pods, resources: ["*/scale"], apiGroups: ["*"] }, "get deployments.apps in a/x", false],
    [
      { ...pods, resources: ["*/scale"], apiGroups: ["*"] },
      "get deployments.apps/status in a/x",
      false,
    ],
    [{ ...pods, apiGroups: ["apps"] }, "get pods in a/x", false],
    [{ ...pods, verbs: ["*"] }, "impersonate pods in a/x", true],
    [{ ...pods, resourceNames: ["x"] }, "get pods in a/x", true],
    [{ ...pods, resourceNames: ["x"] }, "get pods in a/y", false],
    [{ ...pods, resourceNames: ["x"] }, "list pods in a/", false],
    [{ nonResourceURLs: ["/healthz"], verbs: ["get"] }, "get /healthz", true],
    [{ nonResourceURLs: ["/healthz"], verbs: ["get"] }, "get /healthz/x", false],
    [{ nonResourceURLs: ["/healthz/*"], verbs: ["get"] }, "get /healthz/x", true],
    [{ nonResourceURLs: ["/healthz/*"], verbs: ["get"] }, "get /healthz", false],
    [{ nonResourceURLs: ["*"], verbs: ["get"] }, "get /metrics", true],
    [{ nonResourceURLs: ["*"], verbs: ["get"] }, "post /metrics", false],
    [{ nonResourceURLs: ["*"], verbs: ["*"] }, "get pods in a/x", false],
    [{ apiGroups: ["*"], resources: ["*"], verbs: ["*"] }, "get /metrics", false],
  ];
  for (const [rule, question, expected] of rows)
    it(`${JSON.stringify(rule)}: ${question} → ${expected}`, () => {
      const { authorizer, grant } = world();
      grant(rule);
      assert.equal(authorizer.authorize(alice, ask(question)).isAllowed, expected);
    });
});

describe("a rule that lists names", () => {
  it("does not decide for other names, nor for other questions", () => {
    const { authorizer, grant, cache } = world();
    grant({ apiGroups: [""], resources: ["pods"], verbs: ["get"], resourceNames: ["x", "y"] });
    const allowed = (): string =>
      ["get pods in a/x", "get pods in a/z", "get pods in a/y", "get pods in b/x", "list pods in a"]
        .map((question) => Number(authorizer.authorize(alice, ask(question)).isAllowed))
        .join("");
    assert.deepEqual([allowed(), allowed()], ["10110", "10110"]);
    const rule = { apiGroups: [""], resources: ["pods"], verbs: ["get"] };
    cache.put(cached.clusterRole, { metadata: { name: "r" }, rules: [rule] });
    assert.deepEqual([allowed(), allowed()], ["11110", "11110"]);
  });

  it("leaves the answer to many names right", () => {
    const { authorizer, grant } = world();
    grant({ apiGroups: [""], resources: ["pods"], verbs: ["get"], resourceNames: ["p7"] });
    for (let round = 0; round < 2; round++)
      for (let at = 0; at < 1000; at++) {
        const { isAllowed } = authorizer.authorize(alice, ask(`get pods in a/p${at}`));
        assert.equal(isAllowed, at === 7);
      }
  });
});

describe("a rule of a Role", () => {
  const all = { apiGroups: ["*"], resources: ["*"], verbs: ["*"], nonResourceURLs: [] };
  for (const [question, expected] of [
    ["get pods in a/x", true],
    ["get pods in b/x", false],
    ["list pods", false],
    ["get nodes in /n", false],
    ["get /metrics", false],
  ] as const)
    it(`of namespace a: ${question} → ${expected}`, () => {
      const { authorizer, grant } = world();
      grant(all, "a");
      assert.equal(authorizer.authorize(alice, ask(question)).isAllowed, expected);
    });
});

describe("subjects", () => {
  const sa = (name: string, namespace: string): UserInfo => ({
    name: `system:serviceaccount:${namespace}:${name}`,
    groups: ["system:serviceaccounts", `system:serviceaccounts:${namespace}`],
  });
  const rows = [
    [{ kind: "User", name: "alice" }, alice, true],
    [{ kind: "User", name: "bob" }, alice, false],
    [{ kind: "Group", name: "devs" }, alice, true],
    [{ kind: "User", name: "devs" }, alice, false],
    [{ kind: "ServiceAccount", name: "s", namespace: "b" }, sa("s", "b"), true],
    [{ kind: "ServiceAccount", name: "s", namespace: "b" }, sa("s", "a"), false],
    [{ kind: "ServiceAccount", name: "s" }, sa("s", "a"), true],
    [{ kind: "Group", name: "system:serviceaccounts:b" }, sa("s", "b"), true],
  ] as const;
  for (const [subject, user, expected] of rows)
    it(`${JSON.stringify(subject)} for ${user.name} → ${expected}`, () => {
      const { cache, authorizer } = world();
      const rule = { apiGroups: [""], resources: ["pods"], verbs: ["get"] };
      cache.put(cached.clusterRole, { metadata: { name: "r" }, rules: [rule] });
      cache.put(cached.roleBinding, {
        metadata: { name: "b", namespace: "a" },
        roleRef: { apiGroup, kind: "ClusterRole", name: "r" },
        subjects: [subject],
      });
      assert.equal(authorizer.authorize(user, ask("get pods in a/x")).isAllowed, expected);
    });
});

describe("reasons", () => {
  const rule = { apiGroups: [""], resources: ["pods"], verbs: ["get"] };
  it("say what allowed", () => {
    const { authorizer, grant } = world();
    grant(rule, "a");
    assert.equal(
      authorizer.authorize(alice, ask("get pods in a/x")).reason,
      `RBAC: allowed by RoleBinding "b/a" of Role "r" to User "alice"`,
    );
  });
  it("say which role is not there", () => {
    const { cache, authorizer, grant } = world();
    grant(rule);
    cache.remove(cached.clusterRole, { namespace: "", name: "r" });
    const { isAllowed, reason } = authorizer.authorize(alice, ask("get pods in a/x"));
    assert.equal(isAllowed, false);
    assert.equal(reason, `RBAC: clusterrole.rbac.authorization.k8s.io "r" not found`);
  });
  for (const [question, message] of [
    [
      "list pods in default/",
      `pods is forbidden: User "alice" cannot list resource "pods" in API group "" in the namespace "default"`,
    ],
    [
      "update deployments.apps/scale in a/web",
      `deployments.apps "web" is forbidden: User "alice" cannot update resource "deployments/scale" ` +
        `in API group "apps" in the namespace "a"`,
    ],
    [
      "get nodes in /n",
      `nodes "n" is forbidden: User "alice" cannot get resource "nodes" in API group "" at the cluster scope`,
    ],
    ["get /metrics", `forbidden: User "alice" cannot get path "/metrics"`],
  ] as const)
    it(`refuse in upstream's words: ${question}`, () =>
      assert.equal(forbiddenCall(alice, ask(question), "").message, message));
});

describe("changes", () => {
  const rule = { apiGroups: [""], resources: ["pods"], verbs: ["get"] };
  const question = ask("get pods in a/x");
  it("of roles and bindings count at once", () => {
    const { cache, authorizer, grant } = world();
    const isAllowed = (): boolean => authorizer.authorize(alice, question).isAllowed;
    assert.equal(isAllowed(), false);
    grant(rule);
    assert.equal(isAllowed(), true);
    cache.put(cached.clusterRole, { metadata: { name: "r" }, rules: [] });
    assert.equal(isAllowed(), false);
    grant(rule);
    cache.remove(cached.clusterRoleBinding, { namespace: "", name: "b" });
    assert.equal(isAllowed(), false);
  });
  it("before the authorizer was made count too", () => {
    const { cache, grant } = world();
    grant(rule);
    const late = new RbacAuthorizer(new RbacRules(cache));
    assert.equal(late.authorize(alice, question).isAllowed, true);
  });
});

describe("the chain", () => {
  it("lets system:masters do everything, and joins the reasons of refusals", () => {
    const no = (reason: string) => ({ authorize: () => ({ isAllowed: false, reason }) });
    const chain = new AuthorizerChain([no("one"), no(""), no("two")]);
    const root = { name: "root", groups: ["system:masters"] };
    assert.equal(chain.authorize(root, ask("delete nodes in /n")).isAllowed, true);
    assert.deepEqual(chain.authorize(alice, ask("get pods")), {
      isAllowed: false,
      reason: "one\ntwo",
    });
  });
});
