import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { StaticCache } from "../../../test/support/static-cache.ts";
import { cached } from "../authn/cached-kinds.ts";
import { impersonate } from "../authn/impersonation.ts";
import type { UserInfo } from "../request.ts";
import {
  reviewAccess,
  reviewLocalAccess,
  reviewOwnAccess,
  reviewOwnRules,
} from "./access-reviews.ts";
import { AuthorizerChain } from "./authorizer-chain.ts";
import { RbacAuthorizer } from "./rbac-authorizer.ts";
import { RbacRules } from "./rbac-rules.ts";

const apiGroup = "rbac.authorization.k8s.io";
const alice: UserInfo = { name: "alice", groups: [] };
const cache = new StaticCache();
const impersonation = [
  { apiGroups: [""], resources: ["users"], verbs: ["impersonate"], resourceNames: ["bob"] },
  { apiGroups: [""], resources: ["groups", "serviceaccounts"], verbs: ["impersonate"] },
  {
    apiGroups: ["authentication.k8s.io"],
    resources: ["userextras/scopes"],
    verbs: ["impersonate"],
  },
];
cache.put(cached.clusterRole, {
  metadata: { name: "r" },
  rules: [
    { apiGroups: [""], resources: ["pods"], verbs: ["get"] },
    { nonResourceURLs: ["/metrics"], verbs: ["get"] },
    ...impersonation,
  ],
});
cache.put(cached.clusterRoleBinding, {
  metadata: { name: "b" },
  roleRef: { apiGroup, kind: "ClusterRole", name: "r" },
  subjects: [{ kind: "User", name: "alice" }],
});
const rules = new RbacRules(cache);
const authorizer = new AuthorizerChain([new RbacAuthorizer(rules)]);
const pods = { verb: "get", resource: "pods", namespace: "a" };
const reason = `RBAC: allowed by ClusterRoleBinding "b" of ClusterRole "r" to User "alice"`;

describe("access reviews", () => {
  it("say yes with the reason, and no without one", () => {
    const ask = (user: string) =>
      reviewAccess({ spec: { user, resourceAttributes: pods } }, authorizer).status;
    assert.deepEqual(ask("alice"), { allowed: true, reason });
    assert.deepEqual(ask("bob"), { allowed: false });
  });
  it("answer about oneself, on paths too", () => {
    const ask = (path: string) =>
      reviewOwnAccess(
        { spec: { nonResourceAttributes: { path, verb: "get" } } },
        alice,
        authorizer,
      );
    assert.equal(ask("/metrics").status?.allowed, true);
    assert.equal(ask("/healthz").status?.allowed, false);
  });
  it("stay in their namespace when local", () => {
    const ask = (namespace: string) =>
      reviewLocalAccess(
        { spec: { user: "alice", resourceAttributes: pods } },
        namespace,
        authorizer,
      );
    assert.equal(ask("a").status?.allowed, true);
    assert.throws(() => ask("b"), {
      message: "spec.resourceAttributes.namespace must match namespace: b",
    });
  });
  it("refuse questions that are none", () => {
    const refusals = [
      [
        { user: "x" },
        /exactly one of nonResourceAttributes or resourceAttributes must be specified/,
      ],
      [{ resourceAttributes: pods }, /spec.user: Invalid value: "": at least one of user or group/],
      [
        { user: "x", resourceAttributes: pods, nonResourceAttributes: {} },
        /cannot be specified in combination with resourceAttributes/,
      ],
    ] as const;
    for (const [spec, message] of refusals)
      assert.throws(() => reviewAccess({ spec }, authorizer), { message, code: 422 });
  });
  it("list what one may", () => {
    const { status } = reviewOwnRules({ spec: { namespace: "a" } }, alice, rules);
    assert.deepEqual(status?.resourceRules[0], {
      verbs: ["get"],
      apiGroups: [""],
      resources: ["pods"],
    });
    assert.deepEqual(status?.nonResourceRules, [{ verbs: ["get"], nonResourceURLs: ["/metrics"] }]);
    assert.equal(status?.incomplete, false);
    const node = { name: "system:node:n", groups: ["system:nodes"] };
    assert.equal(
      reviewOwnRules({ spec: { namespace: "a" } }, node, rules).status?.incomplete,
      true,
    );
    assert.throws(() => reviewOwnRules({ spec: {} }, alice, rules), { code: 400 });
  });
});

describe("impersonation", () => {
  const as = (headers: Record<string, string>): UserInfo => impersonate(alice, headers, authorizer);
  const authenticated = "system:authenticated";
  it("is off without headers", () => assert.equal(as({ accept: "x" }), alice));
  const rows: readonly (readonly [Record<string, string>, UserInfo])[] = [
    [{ "impersonate-user": "bob" }, { name: "bob", groups: [authenticated] }],
    [
      { "impersonate-user": "bob", "impersonate-group": "x, y" },
      { name: "bob", groups: ["x", "y", authenticated] },
    ],
    [
      { "impersonate-user": "bob", "impersonate-group": "system:unauthenticated" },
      { name: "bob", groups: ["system:unauthenticated"] },
    ],
    [
      { "impersonate-user": "bob", "impersonate-extra-scopes": "a, b" },
      { name: "bob", groups: [authenticated], extra: { scopes: ["a", "b"] } },
    ],
    [
      { "impersonate-user": "system:serviceaccount:n:s" },
      {
        name: "system:serviceaccount:n:s",
        groups: ["system:serviceaccounts", "system:serviceaccounts:n", authenticated],
      },
    ],
  ];
  for (const [headers, user] of rows)
    it(JSON.stringify(headers), () => assert.deepEqual(as(headers), user));
  const refused: readonly (readonly [Record<string, string>, RegExp])[] = [
    [
      { "impersonate-user": "carol" },
      /^users "carol" is forbidden: User "alice" cannot impersonate resource "users" in API group "" at the cluster scope$/,
    ],
    [
      { "impersonate-user": "bob", "impersonate-extra-other": "a" },
      /cannot impersonate resource "userextras\/other" in API group "authentication.k8s.io"/,
    ],
    [{ "impersonate-user": "bob", "impersonate-uid": "1" }, /cannot impersonate resource "uids"/],
    [{ "impersonate-group": "x" }, /without impersonating a user/],
  ];
  for (const [headers, message] of refused)
    it(`refused: ${JSON.stringify(headers)}`, () => assert.throws(() => as(headers), { message }));
});
