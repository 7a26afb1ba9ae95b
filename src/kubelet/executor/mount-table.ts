import { readFile } from "node:fs/promises";

/** Where something is mounted at or below `path`, in the order of mounting. @spec proc(5) mountinfo */
export async function mountsBelow(path: string): Promise<string[]> {
  const table = await readFile("/proc/self/mountinfo", "utf8");
  // A node has hundreds of mounts, and most pods none below their folder.
  const name = path.slice(path.lastIndexOf("/") + 1);
  if (!/[\s\\]/.test(name) && !table.includes(name)) return [];
  return parseMountPoints(table).filter(
    (mounted) => mounted === path || mounted.startsWith(`${path}/`),
  );
}

/** The mount points of a mountinfo table; blanks in names are escaped as octal there. */
export function parseMountPoints(table: string): string[] {
  return table
    .split("\n")
    .filter(Boolean)
    .map((line) =>
      (line.split(" ")[4] ?? "").replace(/\\([0-7]{3})/g, (_, octal: string) =>
        String.fromCharCode(parseInt(octal, 8)),
      ),
    );
}
