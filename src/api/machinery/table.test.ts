import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  humanDuration,
  shortHumanDuration,
  translateTimestampSince,
  translateTimestampUntil,
} from "./human-duration.ts";
import type { KubeObject } from "./object.ts";
import type { Column } from "./resource.ts";
import {
  makeTable,
  parseIncludeObject,
  partialObjectMetadataList,
  tableColumns,
  tableRow,
} from "./table.ts";

const NOW = Date.parse("2026-01-02T00:00:00Z");

describe("humanDuration", () => {
  const [s, m, h, d, y] = [1, 60, 3600, 86400, 365 * 86400];
  const rows: readonly [number, string, string][] = [
    [-3 * s, "<invalid>", "<invalid>"],
    [-1.9 * s, "0s", "0s"],
    [0, "0s", "0s"],
    [119 * s, "119s", "1m"],
    [2 * m, "2m", "2m"],
    [3 * m + 51 * s, "3m51s", "3m"],
    [10 * m + 5 * s, "10m", "10m"],
    [179 * m, "179m", "2h"],
    [7 * h + 5 * m, "7h5m", "7h"],
    [7 * h + 59 * s, "7h", "7h"],
    [47 * h, "47h", "1d"],
    [2 * d, "2d", "2d"],
    [7 * d + 23 * h, "7d23h", "7d"],
    [179 * d, "179d", "179d"],
    [2 * y - 1, "729d", "1y"],
    [2 * y + 3 * d, "2y3d", "2y"],
    [3 * y, "3y", "3y"],
    [9 * y + 3 * d, "9y", "9y"],
    [NaN, "<invalid>", "<invalid>"],
  ];
  for (const [seconds, long, short] of rows)
    it(`${seconds} s is ${long}, short ${short}`, () =>
      assert.deepEqual(
        [humanDuration(seconds * 1000), shortHumanDuration(seconds * 1000)],
        [long, short],
      ));

  it("of timestamps", () => {
    assert.equal(translateTimestampSince("2026-01-01T00:00:00Z", NOW), "24h");
    assert.equal(translateTimestampUntil("2026-01-03T00:00:00Z", NOW), "24h");
    assert.equal(translateTimestampSince("2026-01-03T00:00:00Z", NOW), "<invalid>");
    assert.equal(translateTimestampSince(undefined, NOW), "<unknown>");
  });
});

describe("table", () => {
  const columns: readonly Column<KubeObject>[] = [
    {
      name: "Name",
      type: "string",
      format: "name",
      description: "d",
      priority: 0,
      cell: (object) => object.metadata?.name ?? "",
    },
    {
      name: "Age",
      type: "string",
      description: "a",
      priority: 1,
      cell: (object, now) => translateTimestampSince(object.metadata?.creationTimestamp, now),
    },
  ];
  const metadata = { name: "a", creationTimestamp: "2026-01-01T23:59:00Z" };
  const pod = { apiVersion: "v1", kind: "Pod", metadata, spec: {} };

  it("has a heading and a row for each object", () => {
    const table = makeTable({ resourceVersion: "7" }, tableColumns(columns), [
      tableRow(pod, columns, "Metadata", NOW),
    ]);
    assert.deepEqual(table, {
      kind: "Table",
      apiVersion: "meta.k8s.io/v1",
      metadata: { resourceVersion: "7" },
      columnDefinitions: [
        { name: "Name", type: "string", format: "name", description: "d", priority: 0 },
        { name: "Age", type: "string", format: "", description: "a", priority: 1 },
      ],
      rows: [
        {
          cells: ["a", "60s"],
          object: { kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1", metadata },
        },
      ],
    });
  });

  it("includes what the client asks for", () => {
    assert.equal(tableRow(pod, columns, "None", NOW).object, null);
    assert.equal(tableRow(pod, columns, "Object", NOW).object, pod);
    assert.deepEqual([parseIncludeObject(null), parseIncludeObject("None")], ["Metadata", "None"]);
    assert.throws(() => parseIncludeObject("x"), {
      reason: "BadRequest",
      message:
        "Unable to convert to Table as requested: includeObject: Invalid value: \"x\": must be 'Metadata', 'Object', 'None', or empty",
    });
  });

  it("lists metadata alone, in the version asked for", () => {
    assert.deepEqual(partialObjectMetadataList({ resourceVersion: "7" }, [pod], "v1beta1"), {
      kind: "PartialObjectMetadataList",
      apiVersion: "meta.k8s.io/v1beta1",
      metadata: { resourceVersion: "7" },
      items: [{ kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1beta1", metadata }],
    });
  });
});
