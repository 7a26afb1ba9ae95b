import { readdirSync } from "node:fs";
import { join } from "node:path";

/** Files below `folders` whose names end in `suffix`, sorted. A folder that does not exist holds none. */
export function globSync(folders, suffix) {
  const found = [];
  const walk = (folder) => {
    let entries;
    try {
      entries = readdirSync(folder, { withFileTypes: true });
    } catch (error) {
      if (error.code === "ENOENT") return;
      throw error;
    }
    for (const entry of entries) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) walk(path);
      else if (entry.name.endsWith(suffix)) found.push(path);
    }
  };
  folders.forEach(walk);
  return found.sort();
}
