import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readFacts } from "./facts.ts";
import { readModels } from "./model.ts";
import { nameModels } from "./naming.ts";
import { readNumbers } from "./numbers.ts";
import { olderSchemas, readOlder } from "./older.ts";
import { readOwnModels } from "./own.ts";
import { buildSchemas } from "./schema.ts";

const root = process.cwd();
const models = [...readModels(root), ...readOwnModels(root)];
const names = nameModels(root, models);
const facts = readFacts(root);

/** `core.Pod` and `core.v1.Pod` → the fields of that type, of any version in the first form. */
const known = new Map<string, Set<string>>();
for (const model of models) {
  const { folder, version, kind } = names.get(model.name)!;
  for (const key of [`${folder}.${kind}`, `${folder}.${version}.${kind}`]) {
    const fields = known.get(key) ?? new Set();
    for (const field of model.fields) fields.add(field.name);
    known.set(key, fields);
  }
}

/** Alpha fields that only the server writes; their numbers are not known to us. */
const WITHOUT_NUMBER = [
  "meta.v1.ListMeta.shardInfo",
  "core.v1.PodStatus.nodeAllocatableResourceClaimStatuses",
];

describe("facts", () => {
  it("speak only of fields that exist", () => {
    const stale = [...facts].flatMap(([type, { order }]) =>
      order.filter((field) => !known.get(type)?.has(field)).map((field) => `${type}.${field}`),
    );
    assert.deepEqual(stale, []);
  });

  it("lists that merge by key name keys that their items have", () => {
    const byName = new Map(models.map((model) => [model.name, model]));
    const wrong: string[] = [];
    for (const model of models) {
      const { folder, version, kind } = names.get(model.name)!;
      const own = facts.get(`${folder}.${version}.${kind}`) ?? facts.get(`${folder}.${kind}`);
      for (const [name, { listMapKeys = [], patchMergeKey }] of own?.fields ?? []) {
        const field = model.fields.find((one) => one.name === name);
        const item = byName.get(/^Array<(\w+)>$/.exec(field?.type ?? "")?.[1] ?? "");
        for (const key of [...listMapKeys, ...(patchMergeKey ? [patchMergeKey] : [])])
          if (field && !item?.fields.some((one) => one.name === key))
            wrong.push(`${model.name}.${name}: ${key}`);
      }
    }
    assert.deepEqual(wrong, []);
  });

  it("field numbers speak only of fields that exist, each number once", () => {
    const wrong: string[] = [];
    for (const [type, fields] of readNumbers(root)) {
      const taken = new Set<string>();
      for (const [field, { number, within = [] }] of fields) {
        const path = [...within, number].join(".");
        if (!known.get(type)?.has(field) || taken.has(path)) wrong.push(`${type}.${field}=${path}`);
        taken.add(path);
      }
    }
    assert.deepEqual(wrong, []);
  });

  it("in a type with field numbers, every field has one", () => {
    const numbers = readNumbers(root);
    const bare = models.flatMap((model) => {
      const { folder, version, kind } = names.get(model.name)!;
      const numbered = numbers.get(`${folder}.${version}.${kind}`);
      const fields = numbered ? model.fields.filter(({ name }) => !numbered.has(name)) : [];
      return fields.map(({ name }) => `${folder}.${version}.${kind}.${name}`);
    });
    // Of a document, apiVersion and kind travel in the envelope.
    const unexpected = bare.filter((field) => !/\.(apiVersion|kind)$/.test(field));
    assert.deepEqual(unexpected, WITHOUT_NUMBER);
  });

  it("a name that two groups use belongs to each", () => {
    const openapi = (model: string) => names.get(model)!.openapi;
    assert.equal(openapi("CoreV1Event"), "io.k8s.api.core.v1.Event");
    assert.equal(openapi("EventsV1Event"), "io.k8s.api.events.v1.Event");
    assert.equal(openapi("RbacV1Subject"), "io.k8s.api.rbac.v1.Subject");
    assert.equal(openapi("V1Eviction"), "io.k8s.api.policy.v1.Eviction");
    assert.equal(
      openapi("V1alpha1StorageVersion"),
      "io.k8s.api.apiserverinternal.v1alpha1.StorageVersion",
    );
    assert.equal(openapi("VersionInfo"), "io.k8s.apimachinery.pkg.version.Info");
    assert.equal(new Set([...names.values()].map((name) => name.openapi)).size, models.length);
  });

  it("older types keep what did not change, and take the rest from their line", () => {
    const schemas = buildSchemas(models, names, facts, readNumbers(root));
    const older = readOlder(root, new Set(schemas.map(({ name }) => name)));
    const byName = new Map(olderSchemas(older, schemas).map((schema) => [schema.name, schema]));
    const api = "io.k8s.api.";
    const spec = byName.get(`${api}extensions.v1beta1.DeploymentSpec`)!.fields;
    assert.deepEqual(spec["rollbackTo"], {
      type: "ref",
      ref: `${api}extensions.v1beta1.RollbackConfig`,
      number: 8,
    });
    assert.equal(spec["selector"]!.isRequired, undefined);
    assert.equal(spec["template"]!.isRequired, true);
    const endpoint = byName.get(`${api}discovery.v1beta1.Endpoint`)!.fields;
    assert.equal(endpoint["topology"]!.number, 5);
    assert.equal(endpoint["zone"], undefined);
    const list = byName.get(`${api}extensions.v1beta1.DeploymentList`)!;
    assert.deepEqual(list.kind, {
      group: "extensions",
      version: "v1beta1",
      kind: "DeploymentList",
    });
    assert.equal(list.fields["items"]!.items!.ref, `${api}extensions.v1beta1.Deployment`);
  });
});
