import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { StaticCache } from "../../../test/support/static-cache.ts";
import { Secret } from "../../api/core/secret.ts";
import { ServiceAccount } from "../../api/core/service-account.ts";
import { serviceAccountTokens } from "./tokens.ts";

const CA = "CA";
const KEY = { namespace: "default", name: "robot-token" };
const base64 = (text: string): string => Buffer.from(text).toString("base64");
const FULL = {
  "ca.crt": base64(CA),
  namespace: base64("default"),
  token: base64("old"),
};

interface Case {
  readonly type?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly data?: Readonly<Record<string, string>>;
  /** Uid of the account; "": there is none. */
  readonly account?: string;
  readonly isDeleted?: boolean;
  readonly does: string;
}

const NAMED = { "kubernetes.io/service-account.name": "robot" };
const OWNED = { ...NAMED, "kubernetes.io/service-account.uid": "sa-1" };

const cases: Readonly<Record<string, Case>> = {
  "an empty one is filled": {
    does: "update ca.crt=CA namespace=default token=token of robot/sa-1 in robot-token; uid sa-1",
  },
  "what is there stays": {
    data: { ...FULL, extra: base64("mine") },
    annotations: OWNED,
    does: "",
  },
  "a token of one's own stays, the rest is added": {
    data: { token: base64("mine") },
    does: "update ca.crt=CA namespace=default token=mine; uid sa-1",
  },
  "another CA is brought up to date": {
    data: { ...FULL, "ca.crt": base64("old CA") },
    annotations: OWNED,
    does: "update ca.crt=CA namespace=default token=old; uid sa-1",
  },
  "without its account it goes": { account: "", does: "delete robot-token if s-1" },
  "an account that was made anew is another": {
    annotations: OWNED,
    data: FULL,
    account: "sa-2",
    does: "delete robot-token if s-1",
  },
  "one that is being deleted is left alone": { isDeleted: true, does: "" },
  "other Secrets are left alone": { type: "Opaque", account: "", does: "nothing to do" },
};

describe("serviceAccountTokens", () => {
  const controller = serviceAccountTokens({
    caCertificates: CA,
    issue: ({ account, accountUid, secret }) => `token of ${account}/${accountUid} in ${secret}`,
  });
  for (const [name, row] of Object.entries(cases))
    it(name, () => {
      const {
        type = "kubernetes.io/service-account-token",
        annotations = NAMED,
        account = "sa-1",
      } = row;
      const cache = new StaticCache();
      cache.put(Secret, {
        type,
        metadata: {
          ...KEY,
          uid: "s-1",
          annotations,
          ...(row.isDeleted ? { deletionTimestamp: "2026-01-01T00:00:00Z" as never } : {}),
        },
        ...(row.data ? { data: row.data } : {}),
      });
      if (account)
        cache.put(ServiceAccount, {
          metadata: { namespace: "default", name: "robot", uid: account },
        });
      const observed = controller.observe(cache, KEY);
      const { writes = [] } = observed ? controller.plan(observed, 0) : {};
      const told = writes.map((write) => {
        if (write.verb === "delete") return `delete ${write.key.name} if ${write.ifUid}`;
        if (write.verb !== "update") return write.verb;
        const { data = {}, metadata } = write.object as Secret;
        const texts = Object.entries(data)
          .map(([key, value]) => `${key}=${Buffer.from(value, "base64").toString()}`)
          .sort();
        const uid = metadata?.annotations?.["kubernetes.io/service-account.uid"];
        return `update ${texts.join(" ")}; uid ${uid}`;
      });
      assert.equal(observed ? told.join() : "nothing to do", row.does);
    });

  it("an account's change concerns the Secrets that name it", () => {
    const cache = new StaticCache();
    const secret = (name: string, account: string): Secret => ({
      type: "kubernetes.io/service-account-token",
      metadata: {
        namespace: "default",
        name,
        annotations: { "kubernetes.io/service-account.name": account },
      },
    });
    cache.put(Secret, secret("a", "robot")).put(Secret, secret("b", "other"));
    const change = {
      kind: ServiceAccount,
      key: { namespace: "default", name: "robot" },
      old: undefined,
      object: undefined,
    };
    const keys = controller.triggers.flatMap((trigger) => trigger.keys(change, cache));
    assert.deepEqual(keys, [{ namespace: "default", name: "a" }]);
  });
});
