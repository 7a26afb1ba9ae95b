import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { V1Volume } from "../../gen/types.ts";
import { payloadOf, tokensOf, type PayloadSource } from "./payload.ts";
import { referencesOf } from "./references.ts";

const base64 = (text: string): string => Buffer.from(text).toString("base64");
const source: PayloadSource = {
  configMap: (name) =>
    name === "cm" ? { data: { a: "1", b: "2" }, binaryData: { raw: base64("\u0001") } } : undefined,
  secret: (name) => (name === "s" ? { data: { key: base64("x") } } : undefined),
  tokens: new Map([["600 api", "TOKEN"]]),
  fields: {
    pod: { metadata: { name: "p", labels: { b: "2", a: '1"' } }, spec: { containers: [] } },
    podIps: [],
    hostIps: [],
    nodeName: "n",
    allocatable: {},
  },
};
const files = (volume: Partial<V1Volume>): Record<string, string> =>
  Object.fromEntries(
    [...payloadOf({ name: "v", ...volume }, source)].map(([path, { data, mode }]) => [
      path,
      `${data.toString()} ${mode.toString(8)}`,
    ]),
  );

describe("payloadOf", () => {
  it("a whole ConfigMap", () => {
    assert.deepEqual(files({ configMap: { name: "cm", defaultMode: 0o600 } }), {
      a: "1 600",
      b: "2 600",
      raw: "\u0001 600",
    });
  });
  it("chosen keys under other names and modes", () => {
    const items = [{ key: "a", path: "dir/x", mode: 0o400 }];
    assert.deepEqual(files({ configMap: { name: "cm", items } }), { "dir/x": "1 400" });
  });
  it("a projection of everything", () => {
    const sources = [
      { secret: { name: "s" } },
      { serviceAccountToken: { audience: "api", expirationSeconds: 600, path: "token" } },
      { downwardAPI: { items: [{ path: "labels", fieldRef: { fieldPath: "metadata.labels" } }] } },
    ];
    assert.deepEqual(files({ projected: { sources } }), {
      key: "x 644",
      token: "TOKEN 644",
      labels: 'a="1\\""\nb="2" 644',
    });
    assert.deepEqual(tokensOf({ name: "v", projected: { sources } }), [
      { audience: "api", expirationSeconds: 600 },
    ]);
  });
  const refusals: readonly [Partial<V1Volume>, string][] = [
    [{ configMap: { name: "no" } }, 'configmap "no" not found'],
    [{ secret: { secretName: "no" } }, 'secret "no" not found'],
    [
      { secret: { secretName: "s", items: [{ key: "z", path: "z" }] } },
      "secret references non-existent secret key: z",
    ],
  ];
  for (const [volume, message] of refusals)
    it(message, () => assert.throws(() => files(volume), { message }));
  it("nothing, where it is optional and missing", () =>
    assert.deepEqual(files({ configMap: { name: "no", optional: true } }), {}));
});

describe("referencesOf", () => {
  it("finds each object once, wherever it is named", () => {
    const found = referencesOf({
      spec: {
        imagePullSecrets: [{ name: "pull" }],
        containers: [
          {
            name: "c",
            envFrom: [{ configMapRef: { name: "cm" } }],
            env: [{ name: "X", valueFrom: { secretKeyRef: { name: "s", key: "k" } } }],
          },
        ],
        volumes: [
          { name: "v", configMap: { name: "cm" } },
          { name: "w", projected: { sources: [{ secret: { name: "t" } }] } },
        ],
      },
    });
    assert.deepEqual(
      found.map(({ kind, name }) => `${kind} ${name}`),
      ["Secret pull", "ConfigMap cm", "Secret s", "Secret t"],
    );
  });
});
