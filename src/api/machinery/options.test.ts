import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { decodeContinue, encodeContinue } from "./continue-token.ts";
import { parseGetOptions, parseListOptions } from "./list-options.ts";
import type { ListOptions } from "./list-options.ts";
import {
  fieldManagerOf,
  parseDeleteOptions,
  parseWriteOptions,
  preconditionProblem,
} from "./write-options.ts";
import type { WriteOptions } from "./write-options.ts";

const query = (text: string): URLSearchParams => new URLSearchParams(text);

describe("list options", () => {
  const list = (text: string): ListOptions => parseListOptions(query(text));

  it("have defaults", () => {
    const { labelSelector, fieldSelector, ...rest } = list("");
    assert.equal(labelSelector.isEverything && fieldSelector.isEverything, true);
    assert.deepEqual(rest, {
      isWatch: false,
      allowsBookmarks: false,
      resourceVersion: undefined,
      resourceVersionMatch: "",
      timeoutSeconds: undefined,
      limit: 0,
      continueToken: undefined,
      sendInitialEvents: undefined,
    });
  });

  it("are read", () => {
    const options = list(
      "watch=1&allowWatchBookmarks=true&resourceVersion=7&timeoutSeconds=30&limit=-2&labelSelector=a%3Db&fieldSelector=metadata.name%3Dx",
    );
    assert.equal(options.isWatch && options.allowsBookmarks, true);
    assert.deepEqual([options.resourceVersion, options.timeoutSeconds, options.limit], [7, 30, 0]);
    assert.equal(options.labelSelector.text, "a=b");
    assert.equal(options.fieldSelector.exactValue("metadata.name"), "x");
  });

  const MATCH = "resourceVersionMatch: Forbidden: resourceVersionMatch";
  const INVALID = 'ListOptions.meta.k8s.io "" is invalid:';
  const refused: readonly [string, string][] = [
    ["limit=x", 'strconv.ParseInt: parsing "x": invalid syntax'],
    [
      "limit=99999999999999999999",
      'strconv.ParseInt: parsing "99999999999999999999": value out of range',
    ],
    [
      "resourceVersion=-1",
      'invalid resource version: resourceVersion: Invalid value: "-1": strconv.ParseUint: parsing "-1": invalid syntax',
    ],
    ["labelSelector=,", "found ',', expected: !, identifier, or 'end of string'"],
    ["fieldSelector=a", "invalid selector: 'a'; can't understand 'a'"],
    [
      "resourceVersionMatch=Exact",
      `${INVALID} ${MATCH} is forbidden unless resourceVersion is provided`,
    ],
    [
      "resourceVersionMatch=Exact&resourceVersion=0",
      `${INVALID} ${MATCH} "exact" is forbidden for resourceVersion "0"`,
    ],
    [
      "resourceVersionMatch=x&resourceVersion=1",
      `${INVALID} resourceVersionMatch: Unsupported value: "x": supported values: "Exact", "NotOlderThan", ""`,
    ],
    [
      "sendInitialEvents=false",
      `${INVALID} sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list`,
    ],
    [
      "watch=true&sendInitialEvents=true",
      `${INVALID} resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan`,
    ],
    [
      "watch=true&resourceVersionMatch=NotOlderThan",
      `${INVALID} ${MATCH} is forbidden for watch unless sendInitialEvents is provided`,
    ],
    [
      "continue=eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6NSwic3RhcnQiOiJhL2IifQ&resourceVersion=3",
      "specifying resource version is not allowed when using continue",
    ],
  ];
  for (const [text, message] of refused)
    it(`refuses ${text}`, () => assert.throws(() => list(text), { message }));

  it("watches may ask for initial events", () => {
    const options = list("watch=1&sendInitialEvents=1&resourceVersionMatch=NotOlderThan");
    assert.deepEqual(
      [options.sendInitialEvents, options.resourceVersionMatch],
      [true, "NotOlderThan"],
    );
  });

  it("of a get", () =>
    assert.equal(parseGetOptions(query("resourceVersion=0")).resourceVersion, 0));
});

describe("continue token", () => {
  it("round trip, in upstream's bytes", () => {
    const token = { revision: 5, startKey: "ns/é\u0000" };
    assert.deepEqual(decodeContinue(encodeContinue(token)), token);
    assert.equal(
      encodeContinue({ revision: 5, startKey: "a/b" }),
      "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6NSwic3RhcnQiOiJhL2IifQ",
    );
    assert.equal(decodeContinue(encodeContinue({ revision: -1, startKey: "a" })).revision, -1);
  });

  const forge = (value: unknown): string =>
    Buffer.from(JSON.stringify(value)).toString("base64url");
  const v = "meta.k8s.io/v1";
  const refused: readonly [string, string][] = [
    ["a$", "illegal base64 data at input byte 1"],
    ["aaaa", "the token is not JSON"],
    [forge([]), "the token is not JSON"],
    [forge({ v: "v9", rv: 1, start: "a" }), "server does not recognize this encoded version v9"],
    [forge({ v, rv: 0, start: "a" }), `incorrect encoded start resourceVersion (version ${v})`],
    [forge({ v, rv: "1", start: "a" }), `incorrect encoded start resourceVersion (version ${v})`],
    [forge({ v, rv: 1, start: "" }), `encoded start key empty (version ${v})`],
    [forge({ v, rv: 1, start: "../secrets/a" }), "../secrets/a"],
    [forge({ v, rv: 1, start: "a//b" }), "a//b"],
  ];
  for (const [text, why] of refused)
    it(`refuses ${why}`, () =>
      assert.throws(() => decodeContinue(text), {
        reason: "BadRequest",
        message: `invalid continue token: continue key is not valid: ${why}`,
      }));
});

describe("write options", () => {
  const patch = (text: string, isApply = false): WriteOptions =>
    parseWriteOptions(query(text), "PatchOptions", isApply);

  it("are read", () => {
    assert.deepEqual(
      parseWriteOptions(
        query("dryRun=All&fieldManager=me&fieldValidation=Strict"),
        "CreateOptions",
      ),
      { isDryRun: true, fieldManager: "me", fieldValidation: "Strict", isForced: false },
    );
    assert.equal(patch("").fieldValidation, "Warn");
    assert.equal(patch("force=true&fieldManager=me", true).isForced, true);
  });

  const INVALID = 'PatchOptions.meta.k8s.io "" is invalid:';
  const refused: readonly [string, boolean, string][] = [
    [
      "dryRun=Some",
      false,
      `${INVALID} dryRun: Unsupported value: ["Some"]: supported values: "All"`,
    ],
    [
      "fieldValidation=x",
      false,
      `${INVALID} fieldValidation: Unsupported value: "x": supported values: "", "Ignore", "Strict", "Warn"`,
    ],
    ["force=true", false, `${INVALID} force: Forbidden: may not be specified for non-apply patch`],
    ["", true, `${INVALID} fieldManager: Required value: is required for apply patch`],
    [
      "fieldManager=a%09",
      false,
      `${INVALID} fieldManager: Invalid value: "a\\t": invalid character U+0009 (at position 1)`,
    ],
  ];
  for (const [text, isApply, message] of refused)
    it(`refuses ${text || "apply without manager"}`, () =>
      assert.throws(() => patch(text, isApply), { reason: "Invalid", message }));

  it("a manager without name is called after its program", () => {
    assert.equal(fieldManagerOf("me", "kubectl/v1"), "me");
    assert.equal(fieldManagerOf("", "kube\tctl/v1.36 (linux)"), "kubectl");
    assert.equal(fieldManagerOf("", undefined), "");
  });
});

describe("delete options", () => {
  it("come from the query, or from the body alone", () => {
    assert.deepEqual(parseDeleteOptions(query("gracePeriodSeconds=0&propagationPolicy=Orphan")), {
      isDryRun: false,
      gracePeriodSeconds: 0,
      propagationPolicy: "Orphan",
      preconditions: {},
    });
    const body = {
      kind: "DeleteOptions",
      dryRun: ["All"],
      orphanDependents: false,
      preconditions: { uid: "u" },
    };
    assert.deepEqual(parseDeleteOptions(query("propagationPolicy=x"), body), {
      isDryRun: true,
      gracePeriodSeconds: undefined,
      propagationPolicy: "Background",
      preconditions: { uid: "u" },
    });
  });

  const refused: readonly [unknown, string][] = [
    [{ kind: "Pod" }, "decoded object cannot be converted to DeleteOptions"],
    [
      { gracePeriodSeconds: "x" },
      "json: cannot unmarshal string into Go struct field DeleteOptions.gracePeriodSeconds of type int64",
    ],
    [[], "json: cannot unmarshal array into Go value of type v1.DeleteOptions"],
    [
      { propagationPolicy: "x" },
      'DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Unsupported value: "x": supported values: "Foreground", "Background", "Orphan", "nil"',
    ],
    [
      { propagationPolicy: "Orphan", orphanDependents: true },
      'DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Invalid value: "Orphan": orphanDependents and deletionPropagation cannot be both set',
    ],
  ];
  for (const [body, message] of refused)
    it(`refuses ${JSON.stringify(body)}`, () =>
      assert.throws(() => parseDeleteOptions(query(""), body), { message }));

  it("preconditions", () => {
    const meta = { uid: "u", resourceVersion: "7" };
    assert.equal(preconditionProblem({ uid: "u", resourceVersion: "7" }, meta), undefined);
    assert.match(preconditionProblem({ uid: "v" }, meta)!, /^the UID in the precondition \(v\)/);
    assert.match(preconditionProblem({ resourceVersion: "6" }, meta)!, /^the ResourceVersion in/);
  });
});
