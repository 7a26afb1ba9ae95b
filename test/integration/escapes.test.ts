// Ways around authorization that other API servers had: each through the whole pipeline, with the real policy.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { isByteSource } from "../../src/wire/http/byte-source.ts";
import type { ApiRequest } from "../../src/apiserver/request.ts";
import { startFuzzedPlane, type FuzzedPlane } from "../fuzz/control-plane.ts";
import { requestOf } from "../support/api-server.ts";

const RBAC = "/apis/rbac.authorization.k8s.io/v1";
const SECRETS = "/api/v1/namespaces/a/secrets";
const MASTERS = ["system:masters"];
/** May read Secrets of namespace a, and make bindings and roles there. */
const JANE = "jane";
/** May list one Secret of namespace a by its name. */
const JOHN = "john";
/** Has the role `edit` in namespace a. */
const EDITOR = "eve";
/** Has a role of everything in namespace a. */
const OWNER = "olga";
const NODE = "system:node:n1";
const GROUPS: Readonly<Record<string, readonly string[]>> = {
  root: MASTERS,
  [NODE]: ["system:nodes"],
};

interface Answer {
  readonly status: number;
  readonly text: string;
}

describe("no way around what a user may", () => {
  let world: FuzzedPlane;

  async function send(
    user: string,
    method: string,
    target: string,
    body: object | string = "",
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> {
    const made = requestOf(method, target, body, headers);
    const certificate = { commonName: user, organizations: GROUPS[user] ?? [] };
    const request: ApiRequest = user === "" ? made : { ...made, certificate };
    const answer = await world.plane.server.pipeline.handle(request);
    const { status, body: bytes } = answer;
    if (!isByteSource(bytes)) return { status, text: bytes.toString() };
    const text = bytes.read()?.toString() ?? "";
    bytes.close();
    return { status, text };
  }

  const make = async (path: string, object: object): Promise<void> => {
    const { status, text } = await send("root", "POST", path, object);
    assert.equal(status, 201, text);
  };
  const role = (name: string, rules: readonly object[]): Promise<void> =>
    make(`${RBAC}/namespaces/a/roles`, { metadata: { name }, rules });
  const bind = (user: string, kind: string, name: string): Promise<void> =>
    make(`${RBAC}/namespaces/a/rolebindings`, {
      metadata: { name: `${user}-${name}` },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind, name },
      subjects: [{ kind: "User", apiGroup: "rbac.authorization.k8s.io", name: user }],
    });

  before(async () => {
    world = await startFuzzedPlane();
    for (const name of ["a", "b"]) {
      await make("/api/v1/namespaces", { metadata: { name } });
      await make(`/api/v1/namespaces/${name}/serviceaccounts`, { metadata: { name: "default" } });
      for (const kept of ["mine", "theirs"])
        await make(`/api/v1/namespaces/${name}/secrets`, {
          metadata: { name: kept },
          stringData: { key: `of ${name}` },
        });
    }
    const pod = {
      metadata: { name: "web" },
      spec: {
        nodeName: "n1",
        containers: [{ name: "c", image: "i" }],
        volumes: [{ name: "v", secret: { secretName: "mine" } }],
      },
    };
    await make("/api/v1/namespaces/a/pods", pod);
    await role("jane", [
      { apiGroups: [""], resources: ["secrets"], verbs: ["get", "list"] },
      { apiGroups: ["rbac.authorization.k8s.io"], resources: ["*"], verbs: ["create", "update"] },
    ]);
    await role("john", [
      {
        apiGroups: [""],
        resources: ["secrets"],
        verbs: ["list", "watch"],
        resourceNames: ["mine"],
      },
    ]);
    await role("olga", [{ apiGroups: ["*"], resources: ["*"], verbs: ["*"] }]);
    await bind(JANE, "Role", "jane");
    await bind(JOHN, "Role", "john");
    await bind(OWNER, "Role", "olga");
    await bind(EDITOR, "ClusterRole", "edit");
  });
  after(() => world.close());

  const encode = encodeURIComponent;
  const byName = encode("metadata.name=mine");
  const escaped = encode("type!=x\\,metadata.name=mine");

  for (const [who, user] of [
    ["a user", JOHN],
    ["a node", NODE],
  ] as const)
    it(`${who} that may list one Secret by name lists no others with a selector that only seems to name it`, async () => {
      const named = await send(user, "GET", `${SECRETS}?fieldSelector=${byName}`);
      assert.equal(named.status, 200, named.text);
      assert.deepEqual(
        (JSON.parse(named.text) as { items: { metadata: { name: string } }[] }).items.map(
          ({ metadata }) => metadata.name,
        ),
        ["mine"],
      );
      for (const query of [
        `fieldSelector=${escaped}`,
        `watch=1&fieldSelector=${escaped}`,
        `fieldSelector=${encode("metadata.name!=mine")}`,
        `fieldSelector=${encode("type=x\\,metadata.name=mine")}`,
        `fieldSelector=&fieldSelector=${byName}`,
        `labelSelector=${byName}`,
      ]) {
        const { status, text } = await send(user, "GET", `${SECRETS}?${query}`);
        assert.equal(status, 403, `${query}: ${text}`);
      }
    });

  it("paths with .., %2f and their like lead to no other namespace", async () => {
    assert.equal((await send(JANE, "GET", `${SECRETS}/theirs`)).status, 200);
    for (const path of [
      "/api/v1/namespaces/a/../b/secrets",
      "/api/v1/namespaces/a/..%2fb/secrets",
      "/api/v1/namespaces/a%2f..%2fb/secrets",
      "/api/v1/namespaces/a/secrets/..%2f..%2fb%2fsecrets%2ftheirs",
      "/api/v1/namespaces/a/secrets/../../b/secrets/theirs",
      "/api/v1/namespaces/a/%2e%2e/b/secrets/theirs",
      "/api/v1/namespaces/a%252f..%252fb/secrets",
      "/api/v1/namespaces/a%00/secrets",
      "/api/v1/namespaces/a/secrets/theirs%00",
      "/api/v1/namespaces/a/secrets/%c0%ae%c0%ae",
      "//api//v1//namespaces/b/secrets",
      "/api/v1/namespaces/a/secrets//../../b",
    ]) {
      const { status, text } = await send(JANE, "GET", path);
      assert.ok([400, 403, 404].includes(status), `${path}: ${status} ${text}`);
      assert.ok(!text.includes("of b") && !text.includes(Buffer.from("of b").toString("base64")));
    }
  });

  it("a namespace's path leads to nothing that has no namespace (CVE-2019-11247)", async () => {
    for (const resource of ["nodes", "persistentvolumes", "namespaces", "namespaces/b"])
      for (const method of ["GET", "DELETE", "PATCH", "POST", "PUT"]) {
        const target = `/api/v1/namespaces/a/${resource}`;
        const { status, text } = await send(OWNER, method, target, { metadata: { name: "b" } });
        assert.equal(status, 404, `${method} ${target}: ${text}`);
      }
    assert.equal((await send("root", "GET", "/api/v1/namespaces/b")).status, 200);
    assert.equal((await send(OWNER, "GET", "/api/v1/namespaces/a")).status, 200);
    const path = `${RBAC}/namespaces/a/clusterroles`;
    assert.equal((await send(OWNER, "GET", path)).status, 404);
    assert.equal((await send(OWNER, "POST", path, { metadata: { name: "x" } })).status, 404);
    assert.equal((await send(OWNER, "GET", `${RBAC}/clusterroles`)).status, 403);
  });

  it("nobody gives what they do not hold: roles, bindings, escalate, bind", async () => {
    const wide = [{ apiGroups: ["*"], resources: ["*"], verbs: ["*"] }];
    const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "admin" };
    const subjects = [{ kind: "User", apiGroup: roleRef.apiGroup, name: JANE }];
    for (const [path, object] of [
      [`${RBAC}/namespaces/a/roles`, { metadata: { name: "x" }, rules: wide }],
      [`${RBAC}/namespaces/a/rolebindings`, { metadata: { name: "x" }, roleRef, subjects }],
      [`${RBAC}/clusterrolebindings`, { metadata: { name: "x" }, roleRef, subjects }],
    ] as const) {
      const { status, text } = await send(JANE, "POST", path, object);
      assert.equal(status, 403, text);
    }
    const own = { metadata: { name: "jane" }, rules: wide };
    assert.equal((await send(JANE, "PUT", `${RBAC}/namespaces/a/roles/jane`, own)).status, 403);
  });

  it("nobody acts as somebody else by a part of the headers", async () => {
    const headers: readonly Readonly<Record<string, string>>[] = [
      { "impersonate-user": "root" },
      { "impersonate-user": JANE, "impersonate-group": "system:masters" },
      { "impersonate-group": "system:masters" },
      { "impersonate-uid": "1" },
      { "impersonate-extra-scopes": "a" },
      { "impersonate-user": "", "impersonate-extra-scopes": "a" },
    ];
    for (const given of headers) {
      const { status, text } = await send(JANE, "GET", `${SECRETS}/mine`, "", given);
      assert.ok(status === 403 || status === 400, `${JSON.stringify(given)}: ${status} ${text}`);
    }
    for (const name of ["x-remote-user", "x-remote-group", "x-forwarded-user", "x-client-cert"]) {
      const { status } = await send("", "GET", `${SECRETS}/mine`, "", { [name]: "system:masters" });
      assert.equal(status, 403, name);
    }
  });

  it("who edits a namespace leads no Service to where they like (CVE-2021-25740, CVE-2021-25737)", async () => {
    const endpoints = (ip: string): object => ({
      metadata: { name: "web" },
      subsets: [{ addresses: [{ ip }], ports: [{ port: 80 }] }],
    });
    const slice = (ip: string): object => ({
      metadata: { name: "web", labels: { "kubernetes.io/service-name": "web" } },
      addressType: "IPv4",
      endpoints: [{ addresses: [ip] }],
      ports: [{ port: 80 }],
    });
    const places = [
      ["/api/v1/namespaces/a/endpoints", endpoints],
      ["/apis/discovery.k8s.io/v1/namespaces/a/endpointslices", slice],
    ] as const;
    for (const [path, object] of places) {
      assert.equal((await send(EDITOR, "POST", path, object("10.0.0.1"))).status, 403, path);
      for (const ip of ["127.0.0.1", "169.254.169.254", "224.0.0.1", "0.0.0.0"]) {
        const { status, text } = await send("root", "POST", path, object(ip));
        assert.equal(status, 422, `${path} ${ip}: ${text}`);
      }
    }
  });

  it("a node makes no tokens but those its Pods ask for, and reads nothing of other nodes", async () => {
    const body = { spec: { audiences: ["elsewhere"] } };
    const token = "/api/v1/namespaces/a/serviceaccounts/default/token";
    for (const [method, target, sent] of [
      ["POST", token, body],
      ["POST", "/api/v1/namespaces/b/serviceaccounts/default/token", body],
      ["GET", `${SECRETS}/theirs`, ""],
      ["GET", "/api/v1/namespaces/b/secrets/mine", ""],
      ["GET", SECRETS, ""],
      ["DELETE", `${SECRETS}/mine`, ""],
      ["GET", `/api/v1/nodes/n1/proxy/pods`, ""],
      ["POST", `/api/v1/namespaces/a/pods/web/exec?command=id`, ""],
      ["POST", `${RBAC}/clusterrolebindings`, { metadata: { name: "x" } }],
    ] as const) {
      const { status, text } = await send(NODE, method, target, sent);
      assert.equal(status, 403, `${method} ${target}: ${text}`);
    }
    assert.equal((await send(NODE, "GET", `${SECRETS}/mine`)).status, 200);
  });
});
