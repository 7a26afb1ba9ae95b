import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readModels } from "./model.ts";
import { typesFile } from "./types-file.ts";

const root = process.cwd();
const folder = join(root, "src/gen");
mkdirSync(folder, { recursive: true });
const models = readModels(root);
writeFileSync(join(folder, "types.ts"), typesFile(models));
