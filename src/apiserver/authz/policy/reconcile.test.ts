import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { keyOf } from "../../../api/machinery/object.ts";
import { StaticCache } from "../../../../test/support/static-cache.ts";
import { cached } from "../../authn/cached-kinds.ts";
import type { UserInfo } from "../../request.ts";
import { RbacAuthorizer } from "../rbac-authorizer.ts";
import { RbacRules } from "../rbac-rules.ts";
import { type PolicyWrite, reconcilePolicy } from "./reconcile.ts";

function apply(cache: StaticCache, writes: readonly PolicyWrite[]): StaticCache {
  for (const { kind, object } of writes) cache.put(kind, object);
  return cache;
}

const summary = (writes: readonly PolicyWrite[]): string =>
  writes.map(({ verb, kind, object }) => `${verb} ${kind.kind} ${keyOf(object).name}`).join("\n");

const settled = (): StaticCache => {
  const cache = new StaticCache();
  return apply(cache, reconcilePolicy(cache));
};

describe("reconcilePolicy", () => {
  it("creates everything once, marked as upstream marks it", () => {
    const cache = new StaticCache();
    const writes = reconcilePolicy(cache);
    assert.ok(writes.every(({ verb }) => verb === "create"));
    const names = writes.map(({ kind, object }) => `${kind.kind} ${JSON.stringify(keyOf(object))}`);
    assert.equal(new Set(names).size, writes.length);
    apply(cache, writes);
    assert.equal(summary(reconcilePolicy(cache)), "");
    const { metadata } = cache.get(cached.clusterRole, { namespace: "", name: "cluster-admin" })!;
    assert.deepEqual(metadata?.labels, { "kubernetes.io/bootstrapping": "rbac-defaults" });
    assert.deepEqual(metadata?.annotations, {
      "rbac.authorization.kubernetes.io/autoupdate": "true",
    });
  });

  it("binds only roles that are there", () => {
    const cache = settled();
    const bindings = [...cache.list(cached.clusterRoleBinding), ...cache.list(cached.roleBinding)];
    for (const { metadata, roleRef } of bindings) {
      const kind = roleRef.kind === "Role" ? cached.role : cached.clusterRole;
      const namespace = roleRef.kind === "Role" ? (metadata?.namespace ?? "") : "";
      assert.ok(cache.get(kind, { namespace, name: roleRef.name }), roleRef.name);
    }
  });

  it("puts back what is missing and keeps what was added", () => {
    const cache = settled();
    const key = { namespace: "", name: "system:basic-user" };
    const role = cache.get(cached.clusterRole, key)!;
    const extra = { apiGroups: [""], resources: ["nodes"], verbs: ["get"] };
    cache.put(cached.clusterRole, { ...role, rules: [extra] });
    const writes = reconcilePolicy(cache);
    assert.equal(summary(writes), "update ClusterRole system:basic-user");
    const rules = apply(cache, writes).get(cached.clusterRole, key)?.rules ?? [];
    assert.deepEqual(rules[0], extra);
    assert.equal(rules.length, 4);
    assert.equal(summary(reconcilePolicy(cache)), "");
  });

  it("leaves an object alone that says so", () => {
    const cache = settled();
    const role = cache.get(cached.clusterRole, { namespace: "", name: "system:basic-user" })!;
    const annotations = { "rbac.authorization.kubernetes.io/autoupdate": "false" };
    cache.put(cached.clusterRole, {
      ...role,
      metadata: { ...role.metadata, annotations },
      rules: [],
    });
    assert.equal(summary(reconcilePolicy(cache)), "");
  });

  it("adds missing subjects, and makes a binding anew whose role was changed", () => {
    const cache = settled();
    const get = (name: string) => cache.get(cached.clusterRoleBinding, { namespace: "", name })!;
    cache.put(cached.clusterRoleBinding, { ...get("cluster-admin"), subjects: [] });
    const roleRef = { ...get("system:discovery").roleRef, name: "view" };
    cache.put(cached.clusterRoleBinding, { ...get("system:discovery"), roleRef });
    assert.equal(
      summary(reconcilePolicy(cache)),
      "update ClusterRoleBinding cluster-admin\nrecreate ClusterRoleBinding system:discovery",
    );
  });
});

describe("the default policy", () => {
  const cache = settled();
  const apiGroup = "rbac.authorization.k8s.io";
  for (const role of ["admin", "edit", "view"])
    cache.put(cached.roleBinding, {
      metadata: { name: role, namespace: "a" },
      roleRef: { apiGroup, kind: "ClusterRole", name: role },
      subjects: [{ kind: "User", name: role }],
    });
  const authorizer = new RbacAuthorizer(new RbacRules(cache));
  const user = (name: string, ...groups: string[]): UserInfo => ({ name, groups });
  const jane = user("jane", "system:authenticated");
  const anonymous = user("system:anonymous", "system:unauthenticated");
  const controller = (name: string): UserInfo => user(`system:serviceaccount:kube-system:${name}`);
  const rows: readonly (readonly [UserInfo, string, boolean])[] = [
    [anonymous, "get /healthz", true],
    [anonymous, "get /version", true],
    [anonymous, "get /api", false],
    [anonymous, "get /metrics", false],
    [jane, "get /apis/apps/v1", true],
    [jane, "get /openapi/v2", true],
    [jane, "create selfsubjectaccessreviews.authorization.k8s.io", true],
    [jane, "create selfsubjectreviews.authentication.k8s.io", true],
    [jane, "list pods", false],
    [user("view"), "list pods", true],
    [user("view"), "get pods/log", true],
    [user("view"), "get secrets", false],
    [user("view"), "create pods/exec", false],
    [user("edit"), "get secrets", true],
    [user("edit"), "create pods/exec", true],
    [user("edit"), "update deployments.apps/scale", true],
    [user("edit"), "create rolebindings.rbac.authorization.k8s.io", false],
    [user("edit"), "create resourcequotas", false],
    [user("admin"), "create rolebindings.rbac.authorization.k8s.io", true],
    [user("admin"), "list pods", true],
    [user("admin"), "create resourcequotas", false],
    [user("system:kube-scheduler"), "create pods/binding", true],
    [controller("replicaset-controller"), "create pods", true],
    [controller("replicaset-controller"), "create secrets", false],
    [controller("generic-garbage-collector"), "delete widgets.example.com", true],
    [user("n", "system:nodes"), "list endpointslices.discovery.k8s.io", true],
    [user("n", "system:nodes"), "list secrets", false],
    [
      user("b", "system:bootstrappers"),
      "create certificatesigningrequests.certificates.k8s.io",
      true,
    ],
  ];
  for (const [who, text, expected] of rows)
    it(`${who.name} ${text} → ${expected}`, () => {
      const [verb = "", what = ""] = text.split(" ");
      const [resource = "", subresource = ""] = what.split("/");
      const [plural = "", group = ""] = resource.split(/\.(.*)/);
      const common = { verb, version: "v1", namespace: "a", name: "" };
      const info = what.startsWith("/")
        ? { ...common, isResource: false, path: what, group: "", plural: "", subresource: "" }
        : { ...common, isResource: true, path: "", group, plural, subresource };
      assert.equal(authorizer.authorize(who, info).isAllowed, expected);
    });
});
