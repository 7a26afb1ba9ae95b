import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { credentialsFor } from "./credentials.ts";
import { parseReference, type ImageReference } from "./reference.ts";

describe("parseReference", () => {
  const digest = `sha256:${"a".repeat(64)}`;
  const good: readonly [string, string, string, string][] = [
    ["busybox", "busybox:latest", "docker.io", "library/busybox"],
    ["user/app:1", "user/app:1", "docker.io", "user/app"],
    ["localhost/app", "localhost/app:latest", "localhost", "app"],
    ["host:5000/a/b:x.y", "host:5000/a/b:x.y", "host:5000", "a/b"],
    [`ghcr.io/a/b@${digest}`, `ghcr.io/a/b@${digest}`, "ghcr.io", "a/b"],
  ];
  for (const [text, name, registry, path] of good)
    it(text, () => assert.deepEqual(parseReference(text), { name, registry, path }));
  for (const text of ["", "a:b:c", "-a", "a//b", "a@sha256:12", "a b", "UPPER"])
    it(`refuses ${JSON.stringify(text)}`, () => {
      const complaint = parseReference(text);
      assert.match(String(complaint), /invalid reference format/);
    });
});

describe("credentialsFor", () => {
  const secret = (auths: object) => ({
    type: "kubernetes.io/dockerconfigjson",
    data: { ".dockerconfigjson": Buffer.from(JSON.stringify({ auths })).toString("base64") },
  });
  const auth = Buffer.from("me:pass:word").toString("base64");
  const users = (image: string, auths: object): readonly string[] =>
    credentialsFor(parseReference(image) as ImageReference, [secret(auths)]).map(
      ({ username }) => username ?? "",
    );

  it("the most specific first, others not at all", () => {
    const auths = {
      "ghcr.io": { username: "host" },
      "ghcr.io/a": { username: "path" },
      "quay.io": { username: "other" },
      "*.io": { username: "any" },
    };
    assert.deepEqual(users("ghcr.io/a/b", auths), ["path", "host", "any"]);
  });
  it("knows Docker Hub by its old address", () =>
    assert.deepEqual(users("busybox", { "https://index.docker.io/v1/": { auth } }), ["me"]));
  it("names no server: containerd would take host:5000 for a URL of scheme host", () => {
    const [found] = credentialsFor(parseReference("localhost:5001/tool") as ImageReference, [
      secret({ "localhost:5001": { auth } }),
    ]);
    assert.deepEqual(found, { username: "me", password: "pass:word" });
  });
  it("a password may hold colons", () => {
    const [found] = credentialsFor(parseReference("busybox") as ImageReference, [
      secret({ "docker.io": { auth } }),
    ]);
    assert.deepEqual([found?.username, found?.password], ["me", "pass:word"]);
  });
  it("a broken secret is none", () => {
    const broken = {
      type: "kubernetes.io/dockerconfigjson",
      data: { ".dockerconfigjson": "e30x" },
    };
    assert.deepEqual(credentialsFor(parseReference("a") as ImageReference, [broken]), []);
  });
});
