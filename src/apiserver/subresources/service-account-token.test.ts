import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createKeyPem } from "../../wire/x509/certificate.ts";
import { startTestServer } from "../../../test/support/api-server.ts";
import { SeededRandom } from "../../base/seeded-random.ts";
import { VirtualClock } from "../../base/virtual-clock.ts";
import { createAuth, type Auth } from "../auth.ts";
import { loadSigningKey } from "../authn/token-signature.ts";
import { InProcessCache } from "../in-process-cache.ts";
import type { ApiServer } from "../server.ts";
import { reconcilePolicy } from "../authz/policy/reconcile.ts";
import { serviceAccountToken } from "./service-account-token.ts";

const issuer = "https://kubernetes.default.svc.cluster.local";
const masters = { commonName: "admin", organizations: ["system:masters"] };

/** A server with everything that the auth folders have. */
async function start() {
  const key = loadSigningKey(createKeyPem());
  let auth: Auth | undefined;
  const authOf = (server: ApiServer): Auth =>
    (auth ??= createAuth(
      { issuer, keys: [key], jwksUri: "https://x/openid/v1/jwks" },
      new InProcessCache(server.parts),
      new VirtualClock(),
      new SeededRandom(3),
    ));
  return startTestServer({
    authenticators: (server) => [
      {
        authenticate: (request) =>
          authOf(server).authenticator.authenticate(
            request.headers["x-admin"] ? { ...request, certificate: masters } : request,
          ),
      },
    ],
    authorizers: (server) => [authOf(server).authorizer],
    admission: (server) => authOf(server).admission,
    subresources: (server) => [serviceAccountToken(() => authOf(server).tokens)],
  });
}

describe("a server with authentication, authorization and admission", () => {
  it("lets a Pod's account do what its role says, and nothing else", async () => {
    const server = await start();
    const admin = { "x-admin": "1" };
    const post = (path: string, body: unknown, headers = admin as Record<string, string>) =>
      server.request("POST", path, body, headers);
    const rbac = "/apis/rbac.authorization.k8s.io/v1";
    const account = "/api/v1/namespaces/default/serviceaccounts";
    const made = await post(account, { metadata: { name: "robot" } });
    assert.equal(made.status, 201, made.text);
    const answer = await post(`${account}/robot/token`, { spec: { expirationSeconds: 600 } });
    assert.equal(answer.status, 201, answer.text);
    const bearer = { authorization: `Bearer ${answer.json.status.token}` };
    const list = () => server.request("GET", "/api/v1/namespaces/default/pods", undefined, bearer);
    const refused = await list();
    assert.equal(refused.status, 403);
    assert.equal(
      refused.json.message,
      `pods is forbidden: User "system:serviceaccount:default:robot" cannot list resource "pods" ` +
        `in API group "" in the namespace "default"`,
    );
    const role = {
      metadata: { name: "r" },
      rules: [{ apiGroups: [""], resources: ["pods"], verbs: ["list"] }],
    };
    assert.equal((await post(`${rbac}/namespaces/default/roles`, role)).status, 201);
    const bound = await post(`${rbac}/namespaces/default/rolebindings`, {
      metadata: { name: "b" },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "r" },
      subjects: [{ kind: "ServiceAccount", name: "robot" }],
    });
    assert.equal(bound.status, 201, bound.text);
    assert.equal((await list()).status, 200);
    const bad = await post(`${account}/robot/token`, { spec: { expirationSeconds: "x" } });
    assert.equal(bad.status, 400, bad.text);
    const short = await post(`${account}/robot/token`, { spec: { expirationSeconds: 1 } });
    assert.equal(short.status, 422, short.text);
    await server.close();
  });

  it("starts with a policy that every catalog accepts", async () => {
    const server = await start();
    const cache = new InProcessCache(server.server.parts);
    for (const { kind, object } of reconcilePolicy(cache)) {
      const { namespace } = object.metadata!;
      const at = namespace ? `/namespaces/${namespace}` : "";
      const path = `/apis/${kind.group}/${kind.version}${at}/${kind.plural}`;
      const answer = await server.request("POST", path, object, { "x-admin": "1" });
      assert.equal(answer.status, 201, answer.text);
    }
    assert.deepEqual(reconcilePolicy(cache), []);
    await server.close();
  });
});
