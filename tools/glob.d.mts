/** Files below `folders` whose names end in `suffix`, sorted. A folder that does not exist holds none. */
export function globSync(folders: readonly string[], suffix: string): string[];
