import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { SeededRandom } from "../../base/seeded-random.ts";
import { addKey, readKeyFile } from "./key-file.ts";

const folder = mkdtempSync(join(tmpdir(), "skiff-keys-"));
const random = new SeededRandom(1);

describe("key file", () => {
  after(() => rmSync(folder, { recursive: true }));

  it("is made once, for its owner alone", () => {
    const file = join(folder, "keys/secrets.json");
    const keys = readKeyFile(file, random);
    assert.deepEqual(readKeyFile(file, random), keys);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.deepEqual(
      addKey(file, random).map((key) => key.id),
      ["key2", "key1"],
    );
    assert.deepEqual(readKeyFile(file, random)[1], keys[0]);
  });

  it("tells what is wrong with it", () => {
    const file = join(folder, "wrong.json");
    const cases: readonly [string, RegExp][] = [
      ["", /wrong\.json.*SyntaxError/],
      ["{}", /no list "keys"/],
      ['{"keys":[]}', /no list "keys"/],
      ['{"keys":[null]}', /no secret of 32 bytes/],
      ['{"keys":[{"id":"a","secret":"AAAA"}]}', /no secret of 32 bytes/],
    ];
    for (const [text, expected] of cases) {
      writeFileSync(file, text, { mode: 0o600 });
      assert.throws(() => readKeyFile(file, random), expected);
    }
    chmodSync(file, 0o644);
    assert.throws(() => readKeyFile(file, random), /others may read.*chmod 600/);
  });
});
