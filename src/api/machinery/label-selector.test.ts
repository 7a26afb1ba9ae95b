import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SeededRandom } from "../../base/seeded-random.ts";
import {
  EVERYTHING,
  NOTHING,
  formatLabelSelector,
  labelSelectorOf,
  parseLabelSelector,
  selectorOfLabels,
  validateLabelSelector,
} from "./label-selector.ts";
import type { LabelSelectorObject } from "./label-selector.ts";
import { fieldErrorText } from "./status-errors.ts";

describe("label selector text", () => {
  //       selector, canonical text, labels that match, labels that do not
  const rows: readonly [string, string, readonly object[], readonly object[]][] = [
    ["", "", [{}, { a: "b" }], []],
    ["a=b", "a=b", [{ a: "b" }], [{}, { a: "c" }]],
    ["a==b", "a==b", [{ a: "b" }], [{ a: "" }]],
    ["a=", "a=", [{ a: "" }], [{}]],
    ["a!=b", "a!=b", [{}, { a: "c" }], [{ a: "b" }]],
    [" c , a = b ", "a=b,c", [{ a: "b", c: "" }], [{ a: "b" }]],
    ["!a", "!a", [{}], [{ a: "" }]],
    ["a in (y,x)", "a in (x,y)", [{ a: "x" }, { a: "y" }], [{}, { a: "z" }]],
    ["a notin (x,)", "a notin (,x)", [{}, { a: "z" }], [{ a: "x" }, { a: "" }]],
    ["a in ()", "a in ()", [{ a: "" }], [{ a: "x" }]],
    ["a in (in,notin)", "a in (in,notin)", [{ a: "in" }], [{ a: "x" }]],
    ["in in (in)", "in in (in)", [{ in: "in" }], [{}]],
    ["n>3", "n>3", [{ n: "4" }], [{ n: "3" }, { n: "x" }, {}]],
    ["n<3,x/y", "n<3,x/y", [{ n: "-1", "x/y": "" }], [{ n: "3", "x/y": "" }]],
    ["toString", "toString", [{ toString: "x" }], [{}]],
  ];
  for (const [text, canonical, yes, no] of rows)
    it(JSON.stringify(text), () => {
      const selector = parseLabelSelector(text);
      assert.equal(selector.text, canonical);
      for (const labels of yes) assert.equal(selector.matches(labels as never), true);
      for (const labels of no) assert.equal(selector.matches(labels as never), false);
    });

  const refused: readonly [string, RegExp][] = [
    ["a b", /^unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt$/],
    [",a", /^found ',', expected: !, identifier, or 'end of string'$/],
    ["a,", /^found '', expected: identifier after ','$/],
    ["a=b c", /^found 'c', expected: ',' or 'end of string'$/],
    ["!", /^unable to parse requirement: found '', expected: identifier$/],
    ["!a=b", /^found '=', expected: ',' or 'end of string'$/],
    ["a=(", /^unable to parse requirement: found '\(', expected: identifier$/],
    ["a in x", /^unable to parse requirement: found 'x' expected: '\('$/],
    ["a in (x", /^unable to parse requirement: found '', expected: ',' or '\)'$/],
    ["a in (=)", /^unable to parse requirement: found '=', expected: ',', '\)' or identifier$/],
    ["-a", /^unable to parse requirement: <nil>: Invalid value: "-a": name part must consist of/],
    ["a=-b", /^unable to parse requirement: values\[0\]\[a\]: Invalid value: "-b": a valid label/],
    [
      "a>b",
      /^unable to parse requirement: values\[0\]: Invalid value: "b": for 'Gt', 'Lt' operators, the value must be an integer$/,
    ],
  ];
  for (const [text, message] of refused)
    it(`refuses ${JSON.stringify(text)}`, () =>
      assert.throws(() => parseLabelSelector(text), { reason: "BadRequest", message }));

  it("canonical text reads back as itself, and junk never does harm", () => {
    const random = new SeededRandom(7);
    const parts = ["a", "b/c", "in", "notin", "=", "==", "!=", "!", "(", ")", ",", " ", ">", "1"];
    let accepted = 0;
    for (let round = 0; round < 3000; round++) {
      let text = "";
      for (let i = random.integer(9); i >= 0; i--) text += parts[random.integer(parts.length)];
      try {
        const once = parseLabelSelector(text);
        assert.equal(parseLabelSelector(once.text).text, once.text);
        accepted++;
      } catch (error) {
        assert.equal((error as { reason?: string }).reason, "BadRequest", String(error));
      }
    }
    assert.ok(accepted > 100);
  });
});

describe("LabelSelector object", () => {
  it("absent selects nothing, empty everything", () => {
    assert.equal(labelSelectorOf(undefined), NOTHING);
    assert.equal(labelSelectorOf({}), EVERYTHING);
    assert.equal(NOTHING.matches({}), false);
    assert.equal(formatLabelSelector({}), "<none>");
  });

  it("compiles labels and expressions", () => {
    const selector = labelSelectorOf({
      matchLabels: { app: "web" },
      matchExpressions: [
        { key: "tier", operator: "NotIn", values: ["b", "a"] },
        { key: "x", operator: "Exists" },
        { key: "y", operator: "DoesNotExist" },
      ],
    });
    assert.equal(selector.text, "app=web,tier notin (a,b),x,!y");
    assert.equal(selector.matches({ app: "web", x: "" }), true);
    assert.equal(selector.matches({ app: "web", x: "", tier: "a" }), false);
    assert.equal(selectorOfLabels({ b: "2", a: "1" }).text, "a=1,b=2");
  });

  const rows: readonly [LabelSelectorObject, readonly string[]][] = [
    [{ matchLabels: { a: "b" } }, []],
    [
      { matchExpressions: [{ key: "a", operator: "In" }] },
      [
        "s.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
      ],
    ],
    [
      { matchExpressions: [{ key: "a", operator: "Exists", values: ["x"] }] },
      [
        "s.matchExpressions[0].values: Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
      ],
    ],
    [
      { matchExpressions: [{ key: "/a", operator: "Is" }] },
      [
        's.matchExpressions[0].operator: Invalid value: "Is": not a valid selector operator',
        's.matchExpressions[0].key: Invalid value: "/a": prefix part must be non-empty',
      ],
    ],
  ];
  for (const [object, errors] of rows)
    it(`validates ${JSON.stringify(object)}`, () =>
      assert.deepEqual(validateLabelSelector(object, "s").map(fieldErrorText), errors));
});
