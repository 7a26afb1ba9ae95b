import assert from "node:assert/strict";
import { createPublicKey, generateKeyPairSync, verify } from "node:crypto";
import { describe, it } from "node:test";
import { formatTime } from "../../base/clock.ts";
import { SeededRandom } from "../../base/seeded-random.ts";
import { VirtualClock } from "../../base/virtual-clock.ts";
import type { AuthenticationV1TokenRequest as TokenRequest } from "../../gen/types.ts";
import { createKeyPem } from "../../wire/x509/certificate.ts";
import { StaticCache } from "../../../test/support/static-cache.ts";
import type { ApiRequest } from "../request.ts";
import { newBootstrapToken } from "./bootstrap-token.ts";
import { cached } from "./cached-kinds.ts";
import { discoveryDocuments } from "./discovery-documents.ts";
import { reviewSelf, reviewToken } from "./identity-reviews.ts";
import { RequestAuthenticator } from "./request-authenticator.ts";
import { signLegacyToken } from "./legacy-token.ts";
import { TokenIssuer } from "./token-request.ts";
import { loadSigningKey, signToken } from "./token-signature.ts";
import { TokenVerifier, type TokenVerifierOptions } from "./token-verifier.ts";

const issuer = "https://kubernetes.default.svc.cluster.local";
const key = loadSigningKey(createKeyPem());
const account = { namespace: "a", name: "robot" };
const HOUR_MS = 3_600_000;

function world(onSecretUsed?: TokenVerifierOptions["onSecretUsed"]) {
  const clock = new VirtualClock();
  const cache = new StaticCache();
  const meta = (name: string, namespace: string, uid: string) => ({
    metadata: { name, namespace, uid },
  });
  cache.put(cached.serviceAccount, meta("robot", "a", "sa-1"));
  cache.put(cached.pod, {
    ...meta("web", "a", "pod-1"),
    spec: { serviceAccountName: "robot", nodeName: "n1", containers: [] },
  });
  cache.put(cached.secret, meta("s", "a", "secret-1"));
  cache.put(cached.node, meta("n1", "", "node-1"));
  const issuerOptions = { issuer, key, apiAudiences: [issuer] };
  const tokens = new TokenIssuer(issuerOptions, cache, clock, new SeededRandom(1));
  const options = { issuer, keys: [key], apiAudiences: [issuer] };
  const verifier = new TokenVerifier(
    onSecretUsed ? { ...options, onSecretUsed } : options,
    cache,
    clock,
  );
  const authenticator = new RequestAuthenticator(verifier, cache, clock, [issuer]);
  const create = (spec: Partial<NonNullable<TokenRequest["spec"]>> = {}): string =>
    tokens.create(account, { spec }).status?.token ?? "";
  return { clock, cache, tokens, verifier, authenticator, create };
}

const pod = { apiVersion: "v1", kind: "Pod", name: "web" };

function request(
  headers: Record<string, string>,
  certificate?: ApiRequest["certificate"],
): ApiRequest {
  return {
    ...{ method: "GET", path: "/", query: new URLSearchParams(), headers, remoteAddress: "" },
    body: () => Promise.resolve(Buffer.alloc(0)),
    signal: new AbortController().signal,
    ...(certificate ? { certificate } : {}),
  };
}

describe("a service-account token", () => {
  it("tells who it is for and what it is bound to", () => {
    const { verifier, create } = world();
    const found = verifier.verify(create({ boundObjectRef: pod }));
    const { extra, ...user } = found!.user;
    assert.deepEqual(user, {
      name: "system:serviceaccount:a:robot",
      uid: "sa-1",
      groups: ["system:serviceaccounts", "system:serviceaccounts:a", "system:authenticated"],
    });
    const { "authentication.kubernetes.io/credential-id": id, ...rest } = extra!;
    assert.match(id![0]!, /^JTI=[0-9a-f-]{36}$/);
    assert.deepEqual(rest, {
      "authentication.kubernetes.io/node-name": ["n1"],
      "authentication.kubernetes.io/node-uid": ["node-1"],
      "authentication.kubernetes.io/pod-name": ["web"],
      "authentication.kubernetes.io/pod-uid": ["pod-1"],
    });
    assert.deepEqual(found!.audiences, [issuer]);
  });

  it("gives the same user object each time", () => {
    const { verifier, create } = world();
    const token = create();
    assert.equal(verifier.verify(token)!.user, verifier.verify(token)!.user);
  });

  it("has upstream's claims", () => {
    const { clock, create } = world();
    const now = clock.now() / 1000;
    const body = create({ boundObjectRef: pod, audiences: ["x"], expirationSeconds: 600 }).split(
      ".",
    )[1]!;
    const { jti, ...claims } = JSON.parse(Buffer.from(body, "base64url").toString());
    assert.ok(jti);
    assert.deepEqual(claims, {
      aud: ["x"],
      exp: now + 600,
      iat: now,
      iss: issuer,
      "kubernetes.io": {
        namespace: "a",
        node: { name: "n1", uid: "node-1" },
        pod: { name: "web", uid: "pod-1" },
        serviceaccount: { name: "robot", uid: "sa-1" },
      },
      nbf: now,
      sub: "system:serviceaccount:a:robot",
    });
  });

  it("of an injected volume lives a year and warns after an hour", async () => {
    const { clock, verifier, tokens } = world();
    const spec = { boundObjectRef: pod, expirationSeconds: 3607 };
    const { status } = tokens.create(account, { spec });
    assert.equal(status?.expirationTimestamp, formatTime(clock.now() + 3607_000));
    await clock.advance(364 * 24 * HOUR_MS);
    assert.ok(verifier.verify(status!.token!));
    await clock.advance(2 * 24 * HOUR_MS);
    assert.equal(verifier.verify(status!.token!), undefined);
  });
});

describe("a token ends", () => {
  const rows: readonly (readonly [
    string,
    object,
    (of: ReturnType<typeof world>) => unknown,
    boolean,
  ])[] = [
    ["not before its time", {}, ({ clock }) => clock.advance(HOUR_MS), true],
    ["a minute after its time", {}, ({ clock }) => clock.advance(HOUR_MS + 61_000), false],
    ["with its account", {}, ({ cache }) => cache.remove(cached.serviceAccount, account), false],
    [
      "with its account, though another has its name",
      {},
      ({ cache }) => cache.put(cached.serviceAccount, { metadata: { ...account, uid: "sa-2" } }),
      false,
    ],
    [
      "with its Pod",
      { boundObjectRef: pod },
      ({ cache }) => cache.remove(cached.pod, { namespace: "a", name: "web" }),
      false,
    ],
    [
      "with its Pod, not before a minute after the deletion time",
      { boundObjectRef: pod },
      ({ cache, clock }) =>
        cache.put(cached.pod, {
          metadata: {
            name: "web",
            namespace: "a",
            uid: "pod-1",
            deletionTimestamp: formatTime(clock.now() + 1000),
          },
        }),
      true,
    ],
    [
      "not with a Pod it is not bound to",
      {},
      ({ cache }) => cache.remove(cached.pod, { namespace: "a", name: "web" }),
      true,
    ],
    [
      "with its Secret",
      { boundObjectRef: { apiVersion: "v1", kind: "Secret", name: "s" } },
      ({ cache }) => cache.remove(cached.secret, { namespace: "a", name: "s" }),
      false,
    ],
    [
      "with its Node",
      { boundObjectRef: { apiVersion: "v1", kind: "Node", name: "n1" } },
      ({ cache }) => cache.remove(cached.node, { namespace: "", name: "n1" }),
      false,
    ],
    [
      "not with the Node of its Pod",
      { boundObjectRef: pod },
      ({ cache }) => cache.remove(cached.node, { namespace: "", name: "n1" }),
      true,
    ],
  ];
  for (const [name, spec, change, isGood] of rows)
    it(name, async () => {
      const of = world();
      const token = of.create(spec);
      assert.ok(of.verifier.verify(token));
      await change(of);
      assert.equal(of.verifier.verify(token) !== undefined, isGood);
    });
});

describe("a token that does not hold", () => {
  const { verifier, create } = world();
  const good = create();
  const [head, body, signature] = good.split(".") as [string, string, string];
  const none = Buffer.from(`{"alg":"none","kid":"${key.id}"}`).toString("base64url");
  const changed = Buffer.from(
    Buffer.from(body, "base64url").toString().replace("robot", "admin"),
  ).toString("base64url");
  const claims = JSON.parse(Buffer.from(body, "base64url").toString()) as object;
  const rows: readonly (readonly [string, string])[] = [
    ["without signature", `${head}.${body}.`],
    ["with another algorithm", `${none}.${body}.${signature}`],
    ["with changed claims", `${head}.${changed}.${signature}`],
    ["of another key", signToken(claims, loadSigningKey(createKeyPem()))],
    [
      "of another key under our name",
      signToken(claims, { ...loadSigningKey(createKeyPem()), id: key.id }),
    ],
    ["of another issuer", signToken({ ...claims, iss: "https://else" }, key)],
    ["without the account", signToken({ ...claims, "kubernetes.io": {} }, key)],
    ["with text for a time", signToken({ ...claims, exp: "never" }, key)],
    ["with four parts", `${good}.x`],
    ["that is no token", "hello"],
    ["that is empty", ""],
  ];
  for (const [name, token] of rows) it(name, () => assert.equal(verifier.verify(token), undefined));
  it("(the good one holds)", () => assert.ok(verifier.verify(good)));
});

describe("TokenRequest refuses", () => {
  const conflictText =
    'Operation cannot be fulfilled on Pod "web": the UID in the bound object reference (other) does not match ' +
    "the UID in record. The object might have been deleted and then recreated";
  const invalid = (text: string): string =>
    `TokenRequest.authentication.k8s.io "robot" is invalid: ${text}`;
  const rows: readonly (readonly [TokenRequest, string])[] = [
    [
      { spec: { expirationSeconds: 599 } },
      invalid(
        "spec.expirationSeconds: Invalid value: 599: may not specify a duration less than 10 minutes",
      ),
    ],
    [
      { spec: { expirationSeconds: 2 ** 32 + 1 } },
      invalid(
        "spec.expirationSeconds: Invalid value: 4294967297: may not specify a duration larger than 2^32 seconds",
      ),
    ],
    [
      { metadata: { name: "x" }, spec: {} },
      invalid(
        `metadata.name: Invalid value: "x": must match the service account name if specified`,
      ),
    ],
    [{ spec: { boundObjectRef: { ...pod, name: "none" } } }, `pods "none" not found`],
    [{ spec: { boundObjectRef: { ...pod, uid: "other" } } }, conflictText],
    [
      { spec: { boundObjectRef: { ...pod, kind: "Job", apiVersion: "batch/v1" } } },
      "cannot bind token to object of type batch/v1, Kind=Job",
    ],
  ];
  for (const [body, message] of rows)
    it(message, () => assert.throws(() => world().tokens.create(account, body), { message }));
  it("an account that is not there", () => {
    const missing = { namespace: "a", name: "nobody" };
    assert.throws(() => world().tokens.create(missing, { spec: {} }), {
      message: `serviceaccounts "nobody" not found`,
    });
  });
  it("a Pod of another account", () => {
    const { cache, tokens } = world();
    cache.put(cached.serviceAccount, { metadata: { name: "other", namespace: "a" } });
    assert.throws(
      () => tokens.create({ namespace: "a", name: "other" }, { spec: { boundObjectRef: pod } }),
      {
        message: `cannot bind token for serviceaccount "other" to pod running with different serviceaccount name.`,
      },
    );
  });
});

describe("a request", () => {
  it("is its certificate's user", () => {
    const certificate = { commonName: "jane", organizations: ["devs"] };
    const { authenticator } = world();
    const user = authenticator.authenticate(request({}, certificate));
    assert.deepEqual(user, { name: "jane", groups: ["devs", "system:authenticated"] });
    assert.equal(authenticator.authenticate(request({}, certificate)), user);
  });
  it("is its token's user, in header or WebSocket protocol", () => {
    const { authenticator, create } = world();
    const token = create();
    const protocol = `base64url.bearer.authorization.k8s.io.${Buffer.from(token).toString("base64url")}`;
    for (const headers of [
      { authorization: `Bearer ${token}` },
      { authorization: `bearer ${token}` },
      { "sec-websocket-protocol": `v5.channel.k8s.io, ${protocol}` },
    ] as Record<string, string>[])
      assert.equal(
        authenticator.authenticate(request(headers))?.name,
        "system:serviceaccount:a:robot",
      );
  });
  it("without credentials is nobody's; with bad ones, or of another audience, is refused", () => {
    const { authenticator, create } = world();
    assert.equal(authenticator.authenticate(request({})), undefined);
    assert.equal(authenticator.authenticate(request({ authorization: "Basic x" })), undefined);
    for (const token of ["rubbish", create({ audiences: ["vault"] })])
      assert.throws(
        () => authenticator.authenticate(request({ authorization: `Bearer ${token}` })),
        {
          reason: "Unauthorized",
        },
      );
  });
});

describe("a bootstrap token", () => {
  const make = (change: Record<string, string> = {}, options = {}): string | undefined => {
    const { cache, clock, authenticator } = world();
    const { token, secret } = newBootstrapToken(new SeededRandom(2), {
      expiresAt: clock.now() + HOUR_MS,
      extraGroups: ["system:bootstrappers:worker"],
      ...options,
    });
    const changed = Object.fromEntries(
      Object.entries(change).map(([name, text]) => [name, Buffer.from(text).toString("base64")]),
    );
    cache.put(cached.secret, { ...secret, data: { ...secret.data, ...changed } });
    const user = authenticator.authenticateToken(token, [issuer])?.user;
    return user && `${user.name.replace(/[a-z0-9]{6}$/, "ID")} ${user.groups.join(" ")}`;
  };
  const good =
    "system:bootstrap:ID system:bootstrappers system:bootstrappers:worker system:authenticated";
  const rows: readonly (readonly [string, string | undefined, string | undefined])[] = [
    ["holds", make(), good],
    ["without expiration holds", make({ expiration: "" }), good],
    ["past its expiration", make({}, { expiresAt: 1 }), undefined],
    ["with an expiration that is no time", make({ expiration: "soon" }), undefined],
    ["with another secret", make({ "token-secret": "0123456789abcdef" }), undefined],
    ["not for authentication", make({ "usage-bootstrap-authentication": "false" }), undefined],
    ["with a group beyond its kind", make({ "auth-extra-groups": "system:masters" }), undefined],
  ];
  for (const [name, actual, expected] of rows) it(name, () => assert.equal(actual, expected));
});

describe("a token in a Secret", () => {
  const subject = { namespace: "a", account: "robot", accountUid: "sa-1", secret: "robot-token" };
  const token = signLegacyToken(subject, key);
  const held = (labels: Record<string, string> = {}, text = token) => ({
    metadata: { name: "robot-token", namespace: "a", labels },
    data: { token: Buffer.from(text).toString("base64") },
  });

  it("holds as long as Secret and account are there", () => {
    const { cache, verifier } = world();
    assert.equal(verifier.verify(token), undefined);
    cache.put(cached.secret, held());
    assert.equal(verifier.verify(token)?.user.name, "system:serviceaccount:a:robot");
    cache.put(cached.secret, held({}, "another"));
    assert.equal(verifier.verify(token), undefined);
    cache.put(cached.secret, held());
    cache.remove(cached.serviceAccount, account);
    assert.equal(verifier.verify(token), undefined);
  });

  it("does not hold while it is marked as invalid", () => {
    const { cache, verifier } = world();
    cache.put(cached.secret, held({ "kubernetes.io/legacy-token-invalid-since": "2026-01-01" }));
    assert.equal(verifier.verify(token), undefined);
    cache.put(cached.secret, held());
    assert.ok(verifier.verify(token));
  });

  it("has its use told once a day", async () => {
    const told: string[] = [];
    const { cache, verifier, clock } = world(({ name }, day) => told.push(`${name} ${day}`));
    const today = formatTime(clock.now()).slice(0, 10);
    cache.put(cached.secret, held());
    for (let times = 0; times < 3; times++) verifier.verify(token);
    assert.deepEqual(told, [`robot-token ${today}`]);
    cache.put(cached.secret, held({ "kubernetes.io/legacy-token-last-used": today }));
    verifier.verify(token);
    assert.equal(told.length, 1);
    await clock.advance(24 * HOUR_MS);
    verifier.verify(token);
    assert.equal(told.length, 2);
  });
});

describe("reviews", () => {
  it("of a good and of a bad token", () => {
    const { authenticator, create } = world();
    const review = (token: string, audiences: string[] = []) =>
      reviewToken({ spec: { token, audiences } }, authenticator, [issuer]).status;
    const status = review(create());
    assert.equal(status?.authenticated, true);
    assert.deepEqual(status?.audiences, [issuer]);
    assert.equal(status?.user?.username, "system:serviceaccount:a:robot");
    assert.deepEqual(review("x"), { user: {}, error: "invalid bearer token" });
    assert.equal(review(create(), ["vault"])?.authenticated, undefined);
    assert.deepEqual(review(create({ audiences: ["vault", "y"] }), ["vault"])?.audiences, [
      "vault",
    ]);
    assert.throws(() => review(""), { reason: "BadRequest" });
  });
  it("of oneself", () => {
    assert.deepEqual(reviewSelf({ name: "jane", groups: ["g"] }).status?.userInfo, {
      username: "jane",
      groups: ["g"],
    });
  });
});

describe("discovery", () => {
  it("publishes the key under which tokens verify", () => {
    const [configuration, jwks] = discoveryDocuments(issuer, "https://10.0.0.1/openid/v1/jwks", [
      key,
    ]);
    assert.equal((configuration!.body as { issuer: string }).issuer, issuer);
    const { keys } = jwks!.body as { keys: { kid: string }[] };
    const [head, body, signature] = world().create().split(".") as [string, string, string];
    assert.equal(JSON.parse(Buffer.from(head, "base64url").toString()).kid, keys[0]!.kid);
    const publicKey = createPublicKey({ key: keys[0] as never, format: "jwk" });
    const input = Buffer.from(`${head}.${body}`);
    const options = { key: publicKey, dsaEncoding: "ieee-p1363" } as const;
    assert.ok(verify("sha256", input, options, Buffer.from(signature, "base64url")));
  });
  it("refuses keys of another curve", () => {
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-384" });
    const pem = privateKey.export({ type: "pkcs8", format: "pem" }) as string;
    assert.throws(() => loadSigningKey(pem), /P-256/);
  });
});
