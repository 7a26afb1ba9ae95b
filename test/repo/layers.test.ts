import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { describe, it } from "node:test";
import { globSync } from "../../tools/glob.mjs";

const sources = globSync(["src"], ".ts").filter((file) => !file.startsWith("src/gen/"));
const isTest = (file: string): boolean => file.endsWith(".test.ts") || file.includes("-suite.ts");

/** folder → folders it may import, out of the table in docs/ARCHITECTURE.md. */
const allowed = new Map(
  [
    ...readFileSync("docs/ARCHITECTURE.md", "utf8").matchAll(/^\| `(\w+)` \| (–|\*|`[\w ]+`) \|/gm),
  ].map(([, folder, list]) => [folder!, list === "–" ? [] : list!.replaceAll("`", "").split(" ")]),
);

/** Names that only some folders may use, with those folders. */
const SYSTEM_FOLDERS =
  /^src\/(base|wire|store\/(lmdb|etcd)|host|images|kubelet\/executor|proxy\/executor|main)\//;
const SYSTEM_USES: readonly [RegExp, string][] = [
  [/\bnew Date\(\)|\bDate\.now\(/, "takes the time from its Clock"],
  [/\b(setTimeout|setInterval)\(/, "waits through its Clock"],
  [/\bMath\.random\(/, "takes chance from its Random"],
  [/\bprocess\.(env|argv|exit)\b/, "is told by src/main"],
  [/from "node:(fs|fs\/promises|net|http|https|http2|tls|dgram|child_process|dns)"/, "does no I/O"],
];

/** System uses outside those folders, each with its reason. */
const EXCEPTIONS: Readonly<Record<string, string>> = {};

function imports(file: string): string[] {
  return [...readFileSync(file, "utf8").matchAll(/\bfrom "([^"]+)"|\bimport\("([^"]+)"\)/g)].map(
    (match) => (match[1] ?? match[2])!,
  );
}

function folderOf(file: string): string {
  return file.split("/")[1]!;
}

describe("layers", () => {
  it("every folder of src stands in the table of docs/ARCHITECTURE.md", () => {
    const folders = [...new Set(sources.map(folderOf))];
    assert.deepEqual(
      folders.filter((folder) => !allowed.has(folder)),
      [],
    );
  });

  it("imports go only where the table allows", () => {
    const wrong: string[] = [];
    for (const file of sources.filter((source) => !isTest(source))) {
      const from = folderOf(file);
      const targets = allowed.get(from) ?? [];
      for (const specifier of imports(file).filter((text) => text.startsWith("."))) {
        const target = relative(".", join(dirname(file), specifier));
        const to = folderOf(target);
        if (to === "gen" && isTypeOnly(file, target)) continue;
        const isSame = to === from && (from !== "controllers" || sameController(file, target));
        if (!isSame && !targets.includes(to) && !targets.includes("*"))
          wrong.push(`${file} → ${target}`);
      }
    }
    assert.deepEqual(wrong, []);
  });

  it("a folder called internal is seen only by its parent", () => {
    const wrong = sources.flatMap((file) =>
      imports(file)
        .filter((specifier) => specifier.startsWith("."))
        .map((specifier) => relative(".", join(dirname(file), specifier)))
        .filter((target) => {
          const at = target.indexOf("/internal/");
          return at >= 0 && !file.startsWith(target.slice(0, at + 1));
        })
        .map((target) => `${file} → ${target}`),
    );
    assert.deepEqual(wrong, []);
  });

  it("only the folders at the edge touch the system", () => {
    const wrong = sources
      .filter((file) => !isTest(file) && !SYSTEM_FOLDERS.test(file) && !(file in EXCEPTIONS))
      .flatMap((file) => {
        const code = readFileSync(file, "utf8");
        return SYSTEM_USES.filter(([use]) => use.test(code)).map(
          ([use, rule]) => `${file} ${rule} (${use.source})`,
        );
      });
    assert.deepEqual(wrong, []);
  });

  it("modules import each other in no circle", () => {
    const graph = new Map(
      sources.map((file) => [
        file,
        imports(file)
          .filter((specifier) => specifier.startsWith("."))
          .map((specifier) => relative(".", join(dirname(file), specifier))),
      ]),
    );
    assert.deepEqual(circles(graph), []);
  });
});

/** Controllers see their own folder and the files that all share. */
function sameController(file: string, target: string): boolean {
  const folder = (path: string): string => dirname(path);
  return folder(file) === folder(target) || folder(file) === "src/controllers";
}

/** Import circles, `import type` left out: those vanish when compiled. */
function circles(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const state = new Map<string, "open" | "done">();
  const found: string[] = [];
  const visit = (file: string, path: readonly string[]): void => {
    if (state.get(file) === "done" || !graph.has(file)) return;
    if (state.get(file) === "open") {
      found.push([...path.slice(path.indexOf(file)), file].join(" → "));
      return;
    }
    state.set(file, "open");
    for (const next of graph.get(file)!) if (!isTypeOnly(file, next)) visit(next, [...path, file]);
    state.set(file, "done");
  };
  for (const file of graph.keys()) visit(file, []);
  return found;
}

function isTypeOnly(file: string, target: string): boolean {
  const code = readFileSync(file, "utf8");
  const name = target.split("/").at(-1)!.replaceAll(".", "\\.");
  const statements = [
    ...code.matchAll(new RegExp(`^(import|export)( type)? [^;]*?from "[^"]*/${name}"`, "gm")),
  ];
  return statements.length > 0 && statements.every((statement) => statement[2] !== undefined);
}
