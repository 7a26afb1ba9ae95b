import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readFacts } from "./facts.ts";
import { readModels } from "./model.ts";
import { nameModels } from "./naming.ts";
import { buildSchemas } from "./schema.ts";
import { schemasFile } from "./schemas-file.ts";
import { typesFile } from "./types-file.ts";

const root = process.cwd();
const folder = join(root, "src/gen");
mkdirSync(folder, { recursive: true });
const models = readModels(root);
const names = nameModels(root, models);
const schemas = buildSchemas(models, names, readFacts(root));
writeFileSync(join(folder, "types.ts"), typesFile(models));
writeFileSync(join(folder, "schemas.ts"), schemasFile(schemas));
