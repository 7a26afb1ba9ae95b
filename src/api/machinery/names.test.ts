import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as names from "./names.ts";

const LABEL =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. " +
  "'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const SUBDOMAIN =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character " +
  "(e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const KEY =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or " +
  "'123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

describe("names", () => {
  const rows: readonly [string, (text: string) => names.Messages, string, readonly string[]][] = [
    ["label", names.validateDnsLabel, "a-1", []],
    ["label", names.validateDnsLabel, "A", [LABEL]],
    ["label", names.validateDnsLabel, "-a", [LABEL]],
    ["label", names.validateDnsLabel, "", [LABEL]],
    ["label", names.validateDnsLabel, "a\n", [LABEL]],
    ["label", names.validateDnsLabel, "a.b", ["must not contain dots"]],
    ["label", names.validateDnsLabel, "a".repeat(64), ["must be no more than 63 bytes"]],
    ["subdomain", names.validateDnsSubdomain, "a.b-c.1", []],
    ["subdomain", names.validateDnsSubdomain, "a..b", [SUBDOMAIN]],
    ["subdomain", names.validateDnsSubdomain, "a".repeat(254), ["must be no more than 253 bytes"]],
    ["qualified", names.validateQualifiedName, "example.com/My_name.1", []],
    ["qualified", names.validateQualifiedName, "name", []],
    [
      "qualified",
      names.validateQualifiedName,
      "",
      ["name part must be non-empty", `name part ${KEY}`],
    ],
    ["qualified", names.validateQualifiedName, "/a", ["prefix part must be non-empty"]],
    ["qualified", names.validateQualifiedName, "E/a", [`prefix part ${SUBDOMAIN}`]],
    [
      "qualified",
      names.validateQualifiedName,
      "a/b/c",
      [
        `a valid label key ${KEY} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
      ],
    ],
    ["label value", names.validateLabelValue, "", []],
    ["label value", names.validateLabelValue, "a_B.1", []],
    ["port name", names.validatePortName, "http", []],
    [
      "port name",
      names.validatePortName,
      "-1--2",
      [
        "must contain at least one letter (a-z)",
        "must not contain consecutive hyphens",
        "must not begin or end with a hyphen",
      ],
    ],
    ["env", names.validateEnvName, "A.b-c_1", []],
    ["env", names.validateEnvName, "..", ["must not be '..'"]],
    ["relaxed env", names.validateRelaxedEnvName, "1 a:b", []],
    [
      "relaxed env",
      names.validateRelaxedEnvName,
      "a=b",
      [
        "a valid environment variable name must consist only of printable ASCII characters other than '='",
      ],
    ],
    ["config key", names.validateConfigMapKey, "a.b_c", []],
    ["config key", names.validateConfigMapKey, "..a", ["must not start with '..'"]],
    ["path", names.validatePathSegment, "system:a", []],
    ["path", names.validatePathSegment, "..", ["may not be '..'"]],
    ["path", names.validatePathSegment, "a/b%", ["may not contain '/'", "may not contain '%'"]],
    ["wildcard", names.validateWildcardDnsSubdomain, "*.a.b", []],
  ];
  for (const [rule, validate, text, messages] of rows)
    it(`${rule}: ${JSON.stringify(text.slice(0, 30))}`, () =>
      assert.deepEqual(validate(text), messages));

  it("a prefix may end in a dash", () => {
    assert.deepEqual(names.nameIsDnsSubdomain("web-", true), []);
    assert.deepEqual(names.nameIsDnsSubdomain("web-", false), [SUBDOMAIN]);
    assert.deepEqual(names.nameIsPathSegment(".", true), []);
  });

  it("ports", () => {
    assert.deepEqual(names.validatePortNumber(0), ["must be between 1 and 65535, inclusive"]);
    assert.deepEqual(names.validatePortNumber(65535), []);
  });

  it("long hostile texts take linear time", () => {
    const text = `${"a".repeat(200_000)}!`;
    assert.equal(names.validateDnsSubdomain(text).length, 2);
    assert.equal(names.validateLabelValue(text).length, 2);
  });
});
