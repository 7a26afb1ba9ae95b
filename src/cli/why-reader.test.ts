import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { Pod } from "../api/core/pod.ts";
import { Role } from "../api/rbac/role.ts";
import { RoleBinding } from "../api/rbac/role-binding.ts";
import { createAuth, type Auth } from "../apiserver/auth.ts";
import { loadSigningKey } from "../apiserver/authn/token-signature.ts";
import { InProcessCache } from "../apiserver/in-process-cache.ts";
import type { ApiServer } from "../apiserver/server.ts";
import { podWhy } from "../apiserver/subresources/pod-why.ts";
import { SystemClock } from "../base/system-clock.ts";
import { SystemRandom } from "../base/system-random.ts";
import type { V1PolicyRule } from "../gen/types.ts";
import {
  createAuthority,
  createKeyPem,
  issueCertificate,
  loadAuthority,
} from "../wire/x509/certificate.ts";
import { startTestServer, type TestServer } from "../../test/support/api-server.ts";
import { pod } from "../../test/support/builders.ts";
import { WhyReader } from "./why-reader.ts";

const ISSUER = "https://kubernetes.default.svc.cluster.local";
const RBAC = "rbac.authorization.k8s.io";

/** A server that lets in by certificate and allows what roles say; it explains a Pod by its name. */
function startGuarded(tls: { readonly key: string; readonly cert: string; readonly ca: string }) {
  const { key, cert, ca: clientCa } = tls;
  const clock = new SystemClock();
  const keys = [loadSigningKey(createKeyPem())] as const;
  let made: Auth | undefined;
  const auth = (server: ApiServer): Auth =>
    (made ??= createAuth(
      { issuer: ISSUER, keys: [...keys], jwksUri: `${ISSUER}/openid/v1/jwks` },
      new InProcessCache(server.parts),
      clock,
      new SystemRandom(),
    ));
  return startTestServer({
    clock,
    authenticators: (server) => [auth(server).authenticator],
    authorizers: (server) => [auth(server).authorizer],
    subresources: () => [podWhy(() => ({ metadata }) => ({ summary: metadata?.name }))],
    http: { listen: [{ host: "127.0.0.1", port: 0 }], key, cert, clientCa },
  });
}

describe("WhyReader of one who may not read everything", () => {
  const facts = { now: Date.now(), random: new SystemRandom() };
  const authority = loadAuthority(createAuthority("test", facts));
  const folder = mkdtempSync(join(tmpdir(), "skiff-why-"));
  let server: TestServer;
  let reader: WhyReader;

  const issued = (commonName: string): { readonly cert: string; readonly key: string } => {
    const { certificatePem: cert, keyPem: key } = issueCertificate(
      authority,
      {
        subject: { commonName, organizations: [] },
        names: { dnsNames: [], ips: ["127.0.0.1"] },
        usages: ["serverAuth", "clientAuth"],
      },
      facts,
    );
    return { cert, key };
  };

  /** What alice may do in `default`. */
  const allow = async (name: string, rule: V1PolicyRule): Promise<void> => {
    const metadata = { name, namespace: "default" };
    await server.client.create(Role, { metadata, rules: [rule] });
    await server.client.create(RoleBinding, {
      metadata,
      roleRef: { apiGroup: RBAC, kind: "Role", name },
      subjects: [{ apiGroup: RBAC, kind: "User", name: "alice" }],
    });
  };

  before(async () => {
    const ca = authority.certificatePem;
    server = await startGuarded({ ...issued("server"), ca });
    await server.client.create(Pod, pod("web"));
    const base64 = (pem: string): string => Buffer.from(pem).toString("base64");
    const { cert, key } = issued("alice");
    const url = `https://127.0.0.1:${server.server.addresses[0]!.port}`;
    const cluster = { server: url, "certificate-authority-data": base64(ca) };
    const user = { "client-certificate-data": base64(cert), "client-key-data": base64(key) };
    const kubeconfig = join(folder, "kubeconfig");
    writeFileSync(kubeconfig, JSON.stringify({ clusters: [{ cluster }], users: [{ user }] }));
    reader = new WhyReader(kubeconfig, "default");
  });

  after(async () => {
    reader.close();
    await server.close();
    rmSync(folder, { recursive: true });
  });

  it("who may read a Pod may not read what becomes of it: that names every node", async () => {
    const path = reader.path("/api/v1", "pods", "web");
    await allow("pods", { apiGroups: [""], resources: ["pods"], verbs: ["get"] });
    assert.equal((await reader.get<Pod>(path)).metadata?.name, "web");
    await assert.rejects(reader.get(`${path}/why`), {
      message:
        'pods "web" is forbidden: User "alice" cannot get resource "pods/why" in API group "" in the namespace "default"',
    });
    await allow("whys", { apiGroups: [""], resources: ["pods/why"], verbs: ["get"] });
    assert.deepEqual(await reader.get(`${path}/why`), { summary: "web" });
  });

  it("a list that may not be read is told of once, and counts as empty", async () => {
    const quotas = reader.path("/api/v1", "resourcequotas");
    assert.deepEqual([await reader.list(quotas), await reader.list(quotas)], [[], []]);
    assert.deepEqual(await reader.events("Pod", "web"), []);
    const refused = (plural: string): string =>
      `${plural} is forbidden: User "alice" cannot list resource "${plural}" in API group "" in the namespace "default"`;
    assert.deepEqual(reader.unread, [refused("resourcequotas"), refused("events")]);
  });
});
