import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseTime } from "../base/clock.ts";
import { SystemRandom } from "../base/system-random.ts";
import { newJoinToken, parseDuration } from "./bootstrap-token.ts";

describe("parseDuration", () => {
  const rows: readonly (readonly [string, number | undefined])[] = [
    ["24h", 86_400_000],
    ["1h30m", 5_400_000],
    ["90s", 90_000],
    ["0", 0],
    ["", undefined],
    ["5", undefined],
    ["-1h", undefined],
    ["30m1h", undefined],
    ["1d", undefined],
  ];
  for (const [text, ms] of rows)
    it(`${JSON.stringify(text)} → ${ms}`, () => assert.equal(parseDuration(text), ms));
});

describe("newJoinToken", () => {
  it("makes a Secret that names and holds the token, and says when it ends", () => {
    const end = parseTime("2030-01-02T03:04:05Z");
    const { token, secret } = newJoinToken(new SystemRandom(), end);
    assert.match(token, /^[a-z0-9]{6}\.[a-z0-9]{16}$/);
    const [id, secretPart] = token.split(".");
    assert.equal(secret.metadata?.name, `bootstrap-token-${id}`);
    assert.deepEqual(secret.stringData, {
      "token-id": id,
      "token-secret": secretPart,
      expiration: "2030-01-02T03:04:05Z",
      "auth-extra-groups": "system:bootstrappers:skiff:default-node-token",
      "usage-bootstrap-authentication": "true",
      "usage-bootstrap-signing": "true",
    });
  });

  it("never ends without an end", () => {
    const { secret } = newJoinToken(new SystemRandom(), undefined);
    assert.equal(secret.stringData?.["expiration"], undefined);
  });
});
