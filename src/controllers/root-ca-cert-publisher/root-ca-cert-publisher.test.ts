import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ConfigMap } from "../../api/core/config-map.ts";
import type { Namespace } from "../../api/core/namespace.ts";
import { StaticCache } from "../../../test/support/static-cache.ts";
import { plan, rootCaCertPublisher } from "./root-ca-cert-publisher.ts";

const SPACE: Namespace = { metadata: { name: "d" } };
const GOING = { deletionTimestamp: "2026-01-01T00:00:00Z" };

/** What the controller makes of nothing. */
function made(): ConfigMap {
  const [write] = plan({ namespace: SPACE, published: undefined }, "CA").writes!;
  return (write as { object: ConfigMap }).object;
}

function verb(published: ConfigMap | undefined, namespace = SPACE): string {
  return (plan({ namespace, published }, "CA").writes ?? []).map((write) => write.verb).join();
}

describe("root CA plan", () => {
  const own = made();
  const of = (metadata: object, data: ConfigMap["data"] = { "ca.crt": "CA" }): ConfigMap => ({
    ...own,
    metadata: { ...own.metadata, ...metadata },
    data: data!,
  });
  for (const [what, published, namespace, expected] of [
    ["missing", undefined, SPACE, "create"],
    ["right", own, SPACE, ""],
    [
      "with an annotation more",
      of({ annotations: { ...own.metadata!.annotations, a: "b" } }),
      SPACE,
      "",
    ],
    ["without ours", of({ annotations: { a: "b" } }), SPACE, "update"],
    ["another certificate", of({}, { "ca.crt": "other" }), SPACE, "update"],
    ["more than the certificate", of({}, { "ca.crt": "CA", x: "y" }), SPACE, "update"],
    ["wrong, but going", of(GOING, {}), SPACE, ""],
    ["missing in a namespace that ends", undefined, { metadata: { name: "d", ...GOING } }, ""],
  ] as const) {
    it(`${what} → "${expected}"`, () => assert.equal(verb(published, namespace), expected));
  }

  it("is named as upstream's, and says what it is good for", () => {
    assert.deepEqual([own.metadata?.name, own.metadata?.namespace], ["kube-root-ca.crt", "d"]);
    assert.match(own.metadata?.annotations?.["kubernetes.io/description"] ?? "", /^Contains a CA/);
  });

  it("what else is known of it stays when it is put right", () => {
    const wrong = of({ uid: "u", resourceVersion: "7", labels: { a: "b" } }, { "ca.crt": "other" });
    const [write] = plan({ namespace: SPACE, published: wrong }, "CA").writes!;
    const { object } = write as { object: ConfigMap };
    assert.deepEqual(object, { ...wrong, data: { "ca.crt": "CA" } });
  });

  it("is looked at when it changes; other ConfigMaps are nobody's business", () => {
    const { triggers, observe } = rootCaCertPublisher("CA");
    const keysOf = (name: string) =>
      triggers[0]!.keys({ key: { namespace: "d", name } } as never, {} as never);
    assert.deepEqual(keysOf("kube-root-ca.crt"), [{ namespace: "", name: "d" }]);
    assert.deepEqual(keysOf("other"), []);
    assert.equal(observe(new StaticCache(), { namespace: "", name: "d" }), undefined);
  });

  it("others' annotations stay", () => {
    const [write] = plan(
      { namespace: SPACE, published: of({ annotations: { a: "b" } }) },
      "CA",
    ).writes!;
    const { metadata } = (write as { object: ConfigMap }).object;
    assert.deepEqual(metadata?.annotations, { a: "b", ...own.metadata?.annotations });
  });
});
