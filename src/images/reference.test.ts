import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { InvalidImageName, normalizeName } from "./reference.ts";

const DIGEST = `sha256:${"a1".repeat(32)}`;

describe("normalizeName", () => {
  for (const [text, full] of [
    ["nginx", "docker.io/library/nginx:latest"],
    ["nginx:1.25", "docker.io/library/nginx:1.25"],
    ["user/app", "docker.io/user/app:latest"],
    ["docker.io/nginx", "docker.io/library/nginx:latest"],
    ["index.docker.io/nginx:1", "docker.io/library/nginx:1"],
    ["localhost/app", "localhost/app:latest"],
    ["localhost:5000/app:v1", "localhost:5000/app:v1"],
    ["registry.example/a/b_c__d-e.f", "registry.example/a/b_c__d-e.f:latest"],
    ["[::1]:5000/app", "[::1]:5000/app:latest"],
    [`nginx@${DIGEST}`, `docker.io/library/nginx@${DIGEST}`],
    [`nginx:1@${DIGEST}`, `docker.io/library/nginx:1@${DIGEST}`],
  ] as const)
    it(`${text} is ${full}`, () => assert.equal(normalizeName(text), full));

  for (const [text, why] of [
    ["", /single separators/],
    ["Nginx", /lower case/],
    ["a//b", /single separators/],
    ["../etc/passwd", /no image name/],
    ["a/../b", /single separators/],
    ["a___b", /single separators/],
    ["nginx:", /a tag has/],
    ["nginx:-x", /a tag has/],
    ["nginx@md5:00", /behind '@'/],
    ["a".repeat(64), /image ID/],
    ["b".repeat(256), /over 255/],
    ["exa mple.org/app", /no registry|single separators/],
  ] as const)
    it(`refuses '${text.slice(0, 20)}'`, () =>
      assert.throws(
        () => normalizeName(text),
        (error) => error instanceof InvalidImageName && why.test(error.message),
      ));
});
