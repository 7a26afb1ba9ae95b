import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ServiceAccount } from "../../api/core/service-account.ts";
import { StaticCache } from "../../../test/support/static-cache.ts";
import { plan, serviceAccountController } from "./serviceaccount.ts";

const GOING = { deletionTimestamp: "2026-01-01T00:00:00Z" };
const ACCOUNT: ServiceAccount = { metadata: { name: "default", namespace: "d" } };

describe("service account plan", () => {
  for (const [what, namespace, account, expected] of [
    ["missing", {}, undefined, "create default"],
    ["there", {}, ACCOUNT, ""],
    ["on its way out", {}, { metadata: { ...ACCOUNT.metadata, ...GOING } }, ""],
    ["missing in a namespace that ends", GOING, undefined, ""],
  ] as const) {
    it(`${what} → "${expected}"`, () => {
      const { writes = [] } = plan({
        namespace: { metadata: { name: "d", ...namespace } },
        account,
      });
      const described = writes.map((write) =>
        write.verb === "create" ? `create ${write.object.metadata?.name}` : write.verb,
      );
      assert.equal(described.join(), expected);
    });
  }

  it("only the end of a default account concerns its namespace", () => {
    const [trigger] = serviceAccountController.triggers;
    const concerned = (name: string, object: ServiceAccount | undefined): string[] => {
      const change = { kind: ServiceAccount, key: { namespace: "d", name }, old: ACCOUNT, object };
      return trigger!.keys(change, new StaticCache()).map((key) => key.name);
    };
    assert.deepEqual(concerned("default", undefined), ["d"]);
    assert.deepEqual(concerned("default", ACCOUNT), []);
    assert.deepEqual(concerned("other", undefined), []);
  });
});
