import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SeededRandom } from "../base/seeded-random.ts";
import { VirtualClock } from "../base/virtual-clock.ts";
import { createKeyPem } from "../wire/x509/certificate.ts";
import { StaticCache } from "../../test/support/static-cache.ts";
import { createAuth } from "./auth.ts";
import { loadSigningKey } from "./authn/token-signature.ts";
import { cached } from "./authn/cached-kinds.ts";
import { reconcilePolicy } from "./authz/policy/reconcile.ts";

const issuer = "https://kubernetes.default.svc.cluster.local";

describe("createAuth", () => {
  const cache = new StaticCache();
  for (const { kind, object } of reconcilePolicy(cache)) cache.put(kind, object);
  const metadata = { name: "replicaset-controller", namespace: "kube-system", uid: "u" };
  cache.put(cached.serviceAccount, { metadata });
  const keys = [loadSigningKey(createKeyPem())] as const;
  const options = {
    issuer,
    keys: [...keys] as [(typeof keys)[0]],
    jwksUri: "https://x/openid/v1/jwks",
  };
  const auth = createAuth(options, cache, new VirtualClock(), new SeededRandom(1));

  it("gives a token, knows whose it is, and lets it do what its role says", () => {
    const { status } = auth.tokens.create(metadata, { spec: {} });
    const found = auth.authenticator.authenticateToken(status!.token!, [issuer]);
    const may = (plural: string): boolean =>
      auth.authorizer.authorize(found!.user, {
        ...{ isResource: true, path: "", group: "", version: "v1", subresource: "", name: "" },
        ...{ verb: "create", plural, namespace: "a" },
      }).isAllowed;
    assert.equal(may("pods"), true);
    assert.equal(may("secrets"), false);
  });

  it("runs admission in upstream's order", () => {
    assert.deepEqual(
      auth.admission.map(({ name }) => name),
      [
        ...["NamespaceLifecycle", "LimitRanger", "ServiceAccount", "NodeRestriction"],
        ...["TaintNodesByCondition", "PodSecurity", "Priority", "DefaultTolerationSeconds"],
        ...["DefaultStorageClass", "StorageObjectInUseProtection", "PersistentVolumeClaimResize"],
        "RuntimeClass",
        ...["CertificateApproval", "CertificateSigning", "CertificateSubjectRestriction"],
        "RBACEscalation",
      ],
    );
  });

  it("answers all reviews", () => {
    assert.deepEqual(auth.reviews.map(({ plural }) => plural).sort(), [
      ...["localsubjectaccessreviews", "selfsubjectaccessreviews", "selfsubjectreviews"],
      ...["selfsubjectrulesreviews", "subjectaccessreviews", "tokenreviews"],
    ]);
  });
});
