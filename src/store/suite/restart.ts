import assert from "node:assert/strict";
import { it } from "node:test";
import {
  changesSince,
  committed,
  inPlace,
  iterate,
  listing,
  put,
  remove,
  type NewPlace,
} from "./in-store.ts";

/** What a store is after it was closed or killed and opened again. */
export function restartSuite(newPlace: NewPlace): void {
  it(
    "a clean restart keeps the revision, the records and the history",
    inPlace(newPlace, async (place) => {
      const before = await place.open();
      await committed(before, put("/a=1"), put("/b=1")); // 2
      await committed(before, put("/a=2")); // 3
      await committed(before, put("/volatile/a=1")); // 4
      await before.compact(2);
      await committed(before, remove("/b")); // 5
      await before.close();
      const after = await place.open();
      assert.equal(after.revision(), 5);
      assert.equal(after.compactedRevision(), 2);
      assert.equal(await listing(after), "/a=2@3/2 /volatile/a=1@4/4");
      assert.equal(await listing(after, "/", 3), "/a=2@3/2 /b=1@2/2");
      assert.deepEqual(await changesSince(after, "/", 2), [
        "+/a=2@3/2<2",
        "+/volatile/a=1@4/4<0",
        "-/b@5/2<2",
      ]);
      assert.equal(await committed(after, put("/c=1")), 6);
      await after.close();
    }),
  );

  it(
    "a kill loses nothing acknowledged, and no revision is issued twice",
    inPlace(newPlace, async (place) => {
      const before = await place.open();
      if (!place.kill) return before.close();
      await committed(before, put("/a=1"), put("/b=1"));
      await committed(before, put("/volatile/a=1"));
      await committed(before, remove("/b"));
      await place.kill();
      const after = await place.open();
      assert.ok(after.revision() >= 4);
      assert.equal(await listing(after), "/a=1@2/2 /volatile/a=1@3/3");
      await assert.rejects(iterate(after, "/", 4).next(), { name: "TooOld" });
      const next = await committed(after, put("/a=2 if 2"));
      assert.equal(next, after.revision());
      assert.deepEqual(await changesSince(after, "/", next - 1), [`+/a=2@${next}/2<2`]);
      await after.close();
    }),
  );
}
