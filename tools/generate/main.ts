import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readFacts } from "./facts.ts";
import { readModels } from "./model.ts";
import { nameModels } from "./naming.ts";
import { readNumbers } from "./numbers.ts";
import { olderDefinitions, olderSchemas, readOlder } from "./older.ts";
import { openapiFile } from "./openapi-file.ts";
import { readOwnModels } from "./own.ts";
import { buildSchemas } from "./schema.ts";
import { schemasFile } from "./schemas-file.ts";
import { typesFile } from "./types-file.ts";

const root = process.cwd();
const folder = join(root, "src/gen");
mkdirSync(folder, { recursive: true });
const models = [...readModels(root), ...readOwnModels(root)];
const names = nameModels(root, models);
const facts = readFacts(root);
const schemas = buildSchemas(models, names, facts, readNumbers(root));
writeFileSync(join(folder, "types.ts"), typesFile(models));
const older = readOlder(root, new Set(schemas.map(({ name }) => name)));
const all = [...schemas, ...olderSchemas(older, schemas)];
writeFileSync(join(folder, "schemas.ts"), schemasFile(all));

const documents = join(root, "dist/openapi");
mkdirSync(documents, { recursive: true });
const definitions = openapiFile(models, names, schemas, facts);
writeFileSync(
  join(documents, "definitions.tsv"),
  definitions + olderDefinitions(older, definitions),
);
