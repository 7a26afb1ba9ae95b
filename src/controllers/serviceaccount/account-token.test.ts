import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Secret } from "../../api/core/secret.ts";
import type { ServiceAccount } from "../../api/core/service-account.ts";
import type { Plan } from "../../reconciler/controller.ts";
import { plan as planAccount } from "./account-token.ts";

const namespace = { metadata: { name: "d", uid: "ns" } };
const account = (...secrets: string[]): ServiceAccount => ({
  metadata: { name: "robot", namespace: "d", uid: "sa-1" },
  ...(secrets.length > 0 && { secrets: secrets.map((name) => ({ name })) }),
});
const secret = (name: string, uid = "sa-1", data?: Secret["data"]): Secret => ({
  metadata: {
    name,
    namespace: "d",
    uid: name,
    annotations: {
      "kubernetes.io/service-account.name": "robot",
      ...(uid && { "kubernetes.io/service-account.uid": uid }),
    },
  },
  type: "kubernetes.io/service-account-token",
  ...(data && { data }),
});

function summary({ writes = [] }: Plan): string {
  return writes
    .map((write) => {
      if (write.verb === "delete") return `delete ${write.key.name}`;
      if (write.verb !== "update") return `${write.verb} ${write.kind.kind}`;
      const { secrets, data } = write.object as ServiceAccount & Secret;
      return data
        ? `fill ${Object.keys(data).sort().join(",")}`
        : `list ${secrets?.map(({ name }) => name).join(",")}`;
    })
    .join("; ");
}

//      what there is                                               plan
const ROWS: readonly (readonly [string, ServiceAccount, readonly Secret[], string])[] = [
  ["nothing", account(), [], "create Secret"],
  ["one not listed", account(), [secret("robot-token-a")], "list robot-token-a"],
  ["one listed", account("robot-token-a"), [secret("robot-token-a")], ""],
  ["a user's, listed", account("mine"), [secret("mine")], ""],
  ["a user's, not listed", account(), [secret("mine")], "create Secret"],
  ["an earlier account's", account(), [secret("robot-token-a", "sa-0")], "create Secret"],
  ["what is listed is gone", account("pull", "robot-token-a"), [], "create Secret"],
  [
    "another one was made",
    account("pull", "robot-token-a"),
    [secret("robot-token-b")],
    "list pull,robot-token-b",
  ],
];

describe("serviceaccount-token plan", () => {
  for (const [what, given, tokens, expected] of ROWS)
    it(`${what}: ${expected || "nothing"}`, () =>
      assert.equal(summary(planAccount({ account: given, namespace, tokens })), expected));

  it("makes nothing in a namespace that ends", () => {
    const ending = {
      metadata: { ...namespace.metadata, deletionTimestamp: "2026-01-01T00:00:00Z" },
    };
    assert.deepEqual(planAccount({ account: account(), namespace: ending, tokens: [] }), {});
  });
});
