import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readFacts } from "./facts.ts";
import { readModels } from "./model.ts";
import { nameModels } from "./naming.ts";
import { readNumbers } from "./numbers.ts";
import { buildSchemas } from "./schema.ts";
import { openapiFile } from "./openapi-file.ts";
import { schemasFile } from "./schemas-file.ts";
import { typesFile } from "./types-file.ts";

const root = process.cwd();
const folder = join(root, "src/gen");
mkdirSync(folder, { recursive: true });
const models = readModels(root);
const names = nameModels(root, models);
const facts = readFacts(root);
const schemas = buildSchemas(models, names, facts, readNumbers(root));
writeFileSync(join(folder, "types.ts"), typesFile(models));
writeFileSync(join(folder, "schemas.ts"), schemasFile(schemas));

const documents = join(root, "dist/openapi");
mkdirSync(documents, { recursive: true });
writeFileSync(join(documents, "definitions.tsv"), openapiFile(models, names, schemas, facts));
