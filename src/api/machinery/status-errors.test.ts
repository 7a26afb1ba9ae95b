import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as field from "./field-error.ts";
import type { FieldError } from "./field-error.ts";
import type { StatusError } from "./status-error.ts";
import * as errors from "./status-errors.ts";

const pods = { group: "", plural: "pods" };
const deployments = { group: "apps", plural: "deployments" };

describe("catalogue of status errors", () => {
  const rows: readonly [StatusError, number, string, string][] = [
    [errors.notFound(pods, "a"), 404, "NotFound", 'pods "a" not found'],
    [errors.notFound(deployments, "a"), 404, "NotFound", 'deployments.apps "a" not found'],
    [errors.alreadyExists(pods, "a"), 409, "AlreadyExists", 'pods "a" already exists'],
    [
      errors.generateNameConflict(pods, "a-x"),
      409,
      "AlreadyExists",
      'pods "a-x" already exists, the server was not able to generate a unique name for the object',
    ],
    [
      errors.objectModified(pods, "a"),
      409,
      "Conflict",
      'Operation cannot be fulfilled on pods "a": the object has been modified; please apply your changes to the latest version and try again',
    ],
    [errors.forbidden(pods, "a", "no"), 403, "Forbidden", 'pods "a" is forbidden: no'],
    [errors.forbidden(pods, "", "no"), 403, "Forbidden", "pods is forbidden: no"],
    [errors.forbidden(undefined, "", "no"), 403, "Forbidden", "forbidden: no"],
    [errors.badRequest("what"), 400, "BadRequest", "what"],
    [errors.unauthorized(), 401, "Unauthorized", "Unauthorized"],
    [
      errors.methodNotSupported(pods, "update"),
      405,
      "MethodNotAllowed",
      'update is not supported on resources of kind "pods"',
    ],
    [
      errors.notAcceptable(["application/json", "application/yaml"]),
      406,
      "NotAcceptable",
      "only the following media types are accepted: application/json, application/yaml",
    ],
    [
      errors.unsupportedMediaType(["application/json"]),
      415,
      "UnsupportedMediaType",
      "the body of the request was in an unknown format - accepted media types include: application/json",
    ],
    [errors.tooManyRequests("slow down", 2), 429, "TooManyRequests", "slow down"],
    [errors.tooOldResourceVersion(3, 9), 410, "Expired", "too old resource version: 3 (9)"],
    [errors.gone("gone"), 410, "Gone", "gone"],
    [errors.timeout("late"), 504, "Timeout", "Timeout: late"],
    [
      errors.tooLargeResourceVersion(9, 3),
      504,
      "Timeout",
      "Timeout: Too large resource version: 9, current: 3",
    ],
    [
      errors.serverTimeout(pods, "list"),
      500,
      "ServerTimeout",
      "The list operation against pods could not be completed at this time, please try again.",
    ],
    [errors.internalError("oops"), 500, "InternalError", "Internal error occurred: oops"],
    [errors.insufficientStorage("full"), 507, "InternalError", "full"],
    [errors.serviceUnavailable("starting"), 503, "ServiceUnavailable", "starting"],
    [
      errors.requestEntityTooLarge("limit is 3145728"),
      413,
      "RequestEntityTooLarge",
      "Request entity too large: limit is 3145728",
    ],
    [
      errors.patchRejected("test failed"),
      422,
      "Invalid",
      "the server rejected our request due to an error in our request",
    ],
  ];
  for (const [error, code, reason, message] of rows)
    it(message, () => {
      assert.deepEqual([error.code, error.reason, error.message], [code, reason, message]);
      assert.equal(error.status.status, "Failure");
    });

  it("details name the resource as kind", () => {
    assert.deepEqual(errors.notFound(deployments, "a").status.details, {
      name: "a",
      group: "apps",
      kind: "deployments",
    });
  });

  it("an inconsistent continue carries the token that goes on", () => {
    const { status } = errors.inconsistentContinue("next");
    assert.deepEqual(status.metadata, { continue: "next" });
    assert.equal(status.reason, "Expired");
  });

  it("a resource version of the future has the cause that clients look for", () => {
    assert.deepEqual(errors.tooLargeResourceVersion(9, 3).status.details, {
      causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }],
      retryAfterSeconds: 1,
    });
  });

  it("a delete answers Success without reason and code", () => {
    assert.deepEqual(errors.deletedStatus(pods, "a", "u1"), {
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Success",
      details: { name: "a", kind: "pods", uid: "u1" },
    });
  });
});

describe("invalid", () => {
  const invalid = (...list: FieldError[]): StatusError =>
    errors.invalid({ group: "", kind: "Pod", name: "x", errors: list });

  it("one error stands alone, several in brackets, repeated ones once", () => {
    const a = field.required("spec.a");
    const b = field.forbidden("spec.b", "why");
    assert.equal(invalid(a).message, 'Pod "x" is invalid: spec.a: Required value');
    assert.equal(
      invalid(a, b, a).message,
      'Pod "x" is invalid: [spec.a: Required value, spec.b: Forbidden: why]',
    );
    assert.equal(invalid().message, 'Pod "x" is invalid');
  });

  it("causes carry type, body and field", () => {
    assert.deepEqual(invalid(field.duplicate("spec.a[1].name", "n")).status.details, {
      name: "x",
      kind: "Pod",
      causes: [
        {
          reason: "FieldValueDuplicate",
          message: 'Duplicate value: "n"',
          field: "spec.a[1].name",
        },
      ],
    });
  });

  it("names the group", () => {
    const error = errors.invalid({ group: "apps", kind: "Deployment", name: "d", errors: [] });
    assert.equal(error.message, 'Deployment.apps "d" is invalid');
  });
});

describe("fieldErrorText", () => {
  const rows: readonly [FieldError, string][] = [
    [field.required("a"), "a: Required value"],
    [field.required("a", "must be set"), "a: Required value: must be set"],
    [field.invalid("a", -1, "must be > 0"), "a: Invalid value: -1: must be > 0"],
    [field.invalid("a", true, "no"), "a: Invalid value: true: no"],
    [field.invalid("a", 'q"\n', "no"), 'a: Invalid value: "q\\"\\n": no'],
    [field.invalid("a", null, "no"), 'a: Invalid value: "null": no'],
    [field.invalid("a", { b: "<" }, "no"), 'a: Invalid value: {"b":"\\u003c"}: no'],
    [field.invalid("a", "\x00\u00a0é😀", "no"), 'a: Invalid value: "\\x00\\u00a0é😀": no'],
    [
      field.notSupported("a", "x", ["p", "q"]),
      'a: Unsupported value: "x": supported values: "p", "q"',
    ],
    [field.forbidden("a", "no"), "a: Forbidden: no"],
    [field.tooLong("a", 5), "a: Too long: may not be more than 5 bytes"],
    [field.tooMany("a", 9, 5), "a: Too many: 9: must have at most 5 items"],
    [field.notFound("a", "x"), 'a: Not found: "x"'],
    [{ type: "Internal", field: "a", detail: "oops" }, "a: Internal error: oops"],
  ];
  for (const [error, text] of rows)
    it(text, () => assert.equal(errors.fieldErrorText(error), text));
});
