import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Image } from "../wire/cri/cri-client.ts";
import { formatBytes, imageIdOf, imageRows, imageTable } from "./cluster-images.ts";

const image = (
  letter: string,
  repoTags: readonly string[],
  repoDigests: readonly string[] = [],
): Image => ({
  id: `sha256:${letter.repeat(64)}`,
  repoTags,
  repoDigests,
  size: 12_345_678,
  username: "",
});

const rows = imageRows(
  new Map([
    ["n-1", [image("a", ["r:5000/app:1", "r:5000/app:2"]), image("b", [], ["r/lost@sha256:0"])]],
    ["n-2", [image("a", ["r:5000/app:1"]), image("c", [])]],
  ]),
);

describe("imageRows", () => {
  it("merges what the nodes have, one line for each name", () => {
    assert.deepEqual(imageTable(rows), [
      "IMAGE       TAG     IMAGE ID      SIZE    NODES",
      "<none>      <none>  cccccccccccc  12.3MB  n-2",
      "r/lost      <none>  bbbbbbbbbbbb  12.3MB  n-1",
      "r:5000/app  1       aaaaaaaaaaaa  12.3MB  n-1,n-2",
      "r:5000/app  2       aaaaaaaaaaaa  12.3MB  n-1",
    ]);
  });
});

describe("imageIdOf", () => {
  for (const [text, id] of [
    ["a".repeat(12), `sha256:${"a".repeat(64)}`],
    [`sha256:${"b".repeat(64)}`, `sha256:${"b".repeat(64)}`],
    ["a".repeat(11), undefined],
    ["d".repeat(12), undefined],
    ["app:1", undefined],
  ] as const)
    it(`${text.slice(0, 20)} means ${id?.slice(0, 12) ?? "a name"}`, () =>
      assert.equal(imageIdOf(text, rows), id));
});

describe("formatBytes", () => {
  for (const [bytes, text] of [
    [0, "0B"],
    [999, "999B"],
    [1000, "1.00kB"],
    [52_400_000, "52.4MB"],
    [7_200_000_000, "7.20GB"],
  ] as const)
    it(text, () => assert.equal(formatBytes(bytes), text));
});
