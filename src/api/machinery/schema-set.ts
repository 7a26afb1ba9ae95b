import { rootNames, typeTexts } from "../../gen/schemas.ts";
import { assert } from "../../base/assert.ts";
import type { FieldSchema, SchemaSet, TypeSchema } from "./schema.ts";

/** All generated types. Costs nothing until a type is asked for; each is read once. */
export function loadSchemas(): SchemaSet {
  const kinds = new Map<string, TypeSchema["kind"]>();
  for (const [key, name] of Object.entries(rootNames)) {
    const [group, version, kind] = key.split("/") as [string, string, string];
    kinds.set(name, { group, version, kind });
  }
  const loaded = new Map<string, TypeSchema>();
  const type = (name: string): TypeSchema => {
    const known = loaded.get(name);
    if (known) return known;
    const text = Object.hasOwn(typeTexts, name) ? typeTexts[name] : undefined;
    assert(text !== undefined, `no type is called ${name}`);
    const schema: TypeSchema = {
      name,
      fields: JSON.parse(text) as Readonly<Record<string, FieldSchema>>,
      ...(kinds.has(name) && { isRoot: true, kind: kinds.get(name)! }),
    };
    loaded.set(name, schema);
    return schema;
  };
  return {
    type,
    root(group, version, kind) {
      const key = `${group}/${version}/${kind}`;
      return Object.hasOwn(rootNames, key) ? type(rootNames[key]!) : undefined;
    },
  };
}
