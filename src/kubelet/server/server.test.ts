import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { LogFormatter, parseLogLine } from "./log-line.ts";
import { logOptionsOf, type LogOptions } from "./log-options.ts";
import { routeOf, subresourceOf } from "./route.ts";

const NOW = Date.UTC(2026, 0, 1);
const options = (query: string): LogOptions =>
  logOptionsOf(new URLSearchParams(query), NOW) as LogOptions;

describe("logOptionsOf", () => {
  it("everything at its default", () =>
    assert.deepEqual(options(""), {
      isFollowing: false,
      isPrevious: false,
      hasTimestamps: false,
      since: undefined,
      tailLines: undefined,
      bytesMax: undefined,
      stream: "all",
    }));
  it("sinceSeconds counts back from now", () =>
    assert.equal(options("sinceSeconds=60").since, NOW - 60_000));
  for (const [query, complaint] of [
    ["tailLines=-1", "tailLines: Invalid value: -1: must be greater than or equal to 0"],
    ["limitBytes=0", "limitBytes: Invalid value: 0: must be greater than 0"],
    ["sinceTime=yesterday", 'sinceTime: Invalid value: "yesterday"'],
    [
      "sinceSeconds=1&sinceTime=2026-01-01T00:00:00Z",
      "at most one of `sinceTime` or `sinceSeconds` may be specified",
    ],
  ] as const)
    it(complaint, () => assert.equal(logOptionsOf(new URLSearchParams(query), NOW), complaint));
});

describe("LogFormatter", () => {
  const lines = [
    "2026-01-01T00:00:00.1Z stdout F one",
    "2026-01-01T00:00:01.1Z stderr F two",
    "2026-01-01T00:00:02.1Z stdout P thr",
    "2026-01-01T00:00:02.2Z stdout F ee",
    "no line at all",
    "2026-01-01T00:00:03.1Z stdout F ",
  ];
  const read = (query: string): string => {
    const formatter = new LogFormatter(options(query));
    return lines
      .map((line) => parseLogLine(Buffer.from(line)))
      .map((line) => (line ? formatter.format(line).toString() : ""))
      .join("");
  };
  it("joins what was split", () => assert.equal(read(""), "one\ntwo\nthree\n\n"));
  it("stamps a split line once", () =>
    assert.match(read("timestamps=true"), /\n2026-01-01T00:00:02\.1Z three\n/));
  it("since", () => assert.equal(read("sinceTime=2026-01-01T00:00:02Z"), "three\n\n"));
  it("one stream", () => assert.equal(read("stream=Stderr"), "two\n"));
  it("a limit of bytes", () => assert.equal(read("limitBytes=6"), "one\ntw"));
});

describe("routeOf", () => {
  for (const [path, kind] of [
    ["/healthz", "health"],
    ["/pods/", "pods"],
    ["/containerLogs/ns/p/c", "logs"],
    ["/exec/ns/p/c", "exec"],
    ["/exec/ns/p/uid/c", "exec"],
    ["/portForward/ns/p", "portForward"],
    ["/exec/ns/p", undefined],
    ["/constructor/ns/p/c", undefined],
    ["/%", undefined],
  ] as const)
    it(`${path}: ${kind}`, () => assert.equal(routeOf(path)?.kind, kind));
  it("guards by upstream's subresources", () =>
    assert.deepEqual(
      ["/metrics/resource", "/stats/summary", "/exec/a/b/c", "/pods"].map(subresourceOf),
      ["metrics", "stats", "proxy", "pods"],
    ));
});
