import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { pod } from "../../../test/support/builders.ts";
import { StaticCache } from "../../../test/support/static-cache.ts";
import { ConfigMap } from "../../api/core/config-map.ts";
import { Pod } from "../../api/core/pod.ts";
import { Secret } from "../../api/core/secret.ts";
import { ServiceAccount } from "../../api/core/service-account.ts";
import { legacyTokenCleaner, plan, type Observed } from "./legacy-token-cleaner.ts";

const NOW = Date.UTC(2028, 0, 1);
const PREFIX = "kubernetes.io/legacy-token-";

function secret(created: string, labels: Readonly<Record<string, string>> = {}): Secret {
  const prefixed = Object.entries(labels).map(([key, value]) => [`${PREFIX}${key}`, value]);
  return {
    metadata: {
      name: "bot-token-x",
      namespace: "d",
      uid: "u",
      resourceVersion: "7",
      creationTimestamp: `${created}T00:00:00Z`,
      labels: Object.fromEntries(prefixed) as Record<string, string>,
      annotations: { "kubernetes.io/service-account.name": "bot" },
    },
    type: "kubernetes.io/service-account-token",
  };
}

const seen = (of: Secret, parts: Partial<Observed> = {}): Observed => ({
  secret: of,
  trackedSince: "2026-01-01",
  isReferenced: true,
  isMounted: () => false,
  ...parts,
});

const OLD = secret("2026-06-01");
const rows: readonly (readonly [string, Observed, string])[] = [
  ["unused for a year", seen(OLD), "patch"],
  ["younger than a year", seen(secret("2027-06-01")), ""],
  ["used this year", seen(secret("2026-06-01", { "last-used": "2027-01-01" })), ""],
  ["used before", seen(secret("2026-06-01", { "last-used": "2026-12-30" })), "patch"],
  ["uses are not noted for long enough", seen(OLD, { trackedSince: "2027-01-01" }), ""],
  ["uses are not noted", seen(OLD, { trackedSince: undefined }), ""],
  ["made by somebody", seen(OLD, { isReferenced: false }), ""],
  ["mounted", seen(OLD, { isMounted: () => true }), ""],
  ["out of use, not for long", seen(secret("2025-01-01", { "invalid-since": "2027-06-01" })), ""],
  ["out of use for a year", seen(secret("2025-01-01", { "invalid-since": "2026-12-30" })), "delete"], // prettier-ignore
  ["out of use since nonsense", seen(secret("2025-01-01", { "invalid-since": "long" })), "patch"],
];

describe("legacyTokenCleaner", () => {
  for (const [what, observed, expected] of rows)
    it(`${what} → "${expected}"`, () => {
      const { writes = [], wakeAt } = plan(observed, NOW);
      assert.equal(writes.map(({ verb }) => verb).join(" "), expected);
      assert.equal(wakeAt, NOW + 86_400_000);
    });

  it("says since when it is out of use, and removes what it has seen", () => {
    const [mark] = plan(seen(OLD), NOW).writes!;
    const labels = { [`${PREFIX}invalid-since`]: "2028-01-01" };
    assert.deepEqual(mark?.verb === "patch" && mark.patch, { metadata: { labels } });
    const gone = seen(secret("2025-01-01", { "invalid-since": "2026-01-01" }));
    const [removal] = plan(gone, NOW).writes!;
    assert.equal(removal?.verb === "delete" && removal.ifResourceVersion, "7");
  });

  it("knows by account and Pods whose and whether it is read", () => {
    const cache = new StaticCache()
      .put(Secret, OLD)
      .put(ServiceAccount, {
        metadata: { name: "bot", namespace: "d" },
        secrets: [{ name: "bot-token-x" }],
      })
      .put(ConfigMap, {
        metadata: {
          namespace: "kube-system",
          name: "kube-apiserver-legacy-service-account-token-tracking",
        },
        data: { since: "2026-01-01" },
      });
    const observe = () =>
      legacyTokenCleaner.observe(cache, { namespace: "d", name: "bot-token-x" })!;
    const { isMounted, ...rest } = observe();
    const { isMounted: _isMounted, ...expected } = seen(OLD);
    assert.deepEqual(rest, expected);
    assert.equal(isMounted(), false);
    const spec = { volumes: [{ name: "v", secret: { secretName: "bot-token-x" } }] };
    cache.put(Pod, pod("p", { metadata: { namespace: "d" }, spec }));
    assert.equal(observe().isMounted(), true);
  });

  const name = "bot-token-x";
  const container = { name: "c", image: "i" };
  const reading = { ...container, env: [{ name: "A", valueFrom: { secretKeyRef: { name, key: "k" } } }] }; // prettier-ignore
  //    how a Pod reads it
  for (const [how, spec] of [
    ["a volume", { volumes: [{ name: "v", secret: { secretName: name } }] }],
    ["a part of a volume", { volumes: [{ name: "v", projected: { sources: [{ secret: { name } }] } }] }], // prettier-ignore
    ["a volume's driver", { volumes: [{ name: "v", csi: { driver: "d", nodePublishSecretRef: { name } } }] }], // prettier-ignore
    ["for pulling images", { imagePullSecrets: [{ name }] }],
    ["a variable", { containers: [reading] }],
    ["all its variables", { containers: [{ ...container, envFrom: [{ secretRef: { name } }] }] }],
    ["an init container", { initContainers: [reading] }],
    ["a container that came later", { ephemeralContainers: [reading] }],
  ] as const)
    it(`knows that it is read: ${how}`, () => {
      const cache = new StaticCache().put(Secret, OLD);
      const isMounted = (): boolean =>
        legacyTokenCleaner.observe(cache, { namespace: "d", name })!.isMounted();
      const of = (namespace: string): Pod =>
        ({ metadata: { name: "p", namespace }, spec: { containers: [container], ...spec } }) as Pod;
      cache.put(Pod, of("elsewhere"));
      assert.equal(isMounted(), false);
      cache.put(Pod, of("d"));
      assert.equal(isMounted(), true);
    });

  it("leaves one that is going already alone", () => {
    const going = {
      ...OLD,
      metadata: { ...OLD.metadata, deletionTimestamp: "2028-01-01T00:00:00Z" },
    };
    assert.equal(plan(seen(going as never), NOW).writes, undefined);
  });

  it("looks at no Pods for a token that is young", () => {
    const isMounted = (): boolean => assert.fail("looked");
    assert.deepEqual(plan(seen(secret("2027-06-01"), { isMounted }), NOW).writes, undefined);
  });
});
