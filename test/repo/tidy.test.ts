import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { basename, dirname } from "node:path";
import { describe, it } from "node:test";
import ts from "typescript-ast";
import { globSync } from "../../tools/glob.mjs";

const LINES_MAX = 500;
const TEST_LINES_MAX = 800;
const FUNCTION_LINES_MAX = 70;
const COLUMNS_MAX = 100;
/** Lines that prettier leaves long on purpose (strings, imports) may reach this; prettier's own width is COLUMNS_MAX. */
const COLUMNS_HARD_MAX = 160;

/** Files over their limit, each with its reason. */
const LONG_FILES: Readonly<Record<string, string>> = {};

const files = globSync(["src", "test", "tools", "bench"], ".ts").filter(
  (file) => !file.startsWith("src/gen/"),
);
const isTest = (file: string): boolean => file.startsWith("test/") || file.endsWith(".test.ts");
const lines = (file: string): string[] => readFileSync(file, "utf8").split("\n");

describe("tidy", () => {
  it("no file is too long", () => {
    const long = files.filter(
      (file) =>
        !(file in LONG_FILES) && lines(file).length > (isTest(file) ? TEST_LINES_MAX : LINES_MAX),
    );
    assert.deepEqual(long, []);
  });

  it(`no function is over ${FUNCTION_LINES_MAX} lines`, () => {
    assert.deepEqual(files.filter((file) => !isTest(file)).flatMap(longFunctions), []);
  });

  it("no line runs far over the width", () => {
    const wide = files.flatMap((file) =>
      lines(file).flatMap((line, index) =>
        line.length > COLUMNS_HARD_MAX ? [`${file}:${index + 1}`] : [],
      ),
    );
    assert.deepEqual(wide, []);
  });

  it("file names are kebab-case and say what is inside", () => {
    const vague = /^(util|utils|helper|helpers|common|misc|types|interfaces)\.ts$/;
    const wrong = files.filter((file) => {
      const name = basename(file);
      return vague.test(name) || !/^[a-z0-9]+(-[a-z0-9]+)*(\.test)?\.ts$/.test(name);
    });
    assert.deepEqual(wrong, []);
  });

  it("every folder of src has a README of at most 60 lines", () => {
    const folders = [...new Set(files.filter((f) => f.startsWith("src/")).map(dirname))].filter(
      (folder) => folder !== "src",
    );
    const wrong = folders.filter((folder) => {
      const readme = `${folder}/README.md`;
      return !existsSync(readme) || lines(readme).length > 61;
    });
    assert.deepEqual(wrong, []);
  });

  it("every exported function, class and constant of src says what it is", () => {
    assert.deepEqual(
      files.filter((file) => file.startsWith("src/") && !isTest(file)).flatMap(undocumented),
      [],
    );
  });

  it("nothing is unfinished, skipped or debugged", () => {
    const banned =
      /\b(TODO|FIXME|XXX|HACK)\b|\b(it|test|describe)\.(skip|only|todo)\b|\bskip: true\b|\bdebugger;/;
    const found = files
      .filter((file) => file !== "test/repo/tidy.test.ts")
      .flatMap((file) =>
        lines(file).flatMap((line, i) => (banned.test(line) ? [`${file}:${i + 1} ${line}`] : [])),
      );
    assert.deepEqual(found, []);
  });

  it("names of quantities carry their unit", () => {
    const bare = /\b(const|let|readonly) (timeout|interval|delay|duration)\b[ :=]/;
    const found = files
      .filter((file) => file.startsWith("src/") && !isTest(file))
      .flatMap((file) =>
        lines(file).flatMap((line, i) => (bare.test(line) ? [`${file}:${i + 1} ${line}`] : [])),
      );
    assert.deepEqual(found, []);
  });

  it(`documents keep to the point and prettier to ${COLUMNS_MAX} columns`, () => {
    const config = JSON.parse(readFileSync(".prettierrc.json", "utf8")) as { printWidth: number };
    assert.equal(config.printWidth, COLUMNS_MAX);
  });
});

function parse(file: string): ts.SourceFile {
  return ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.ES2022, true);
}

function longFunctions(file: string): string[] {
  const source = parse(file);
  const found: string[] = [];
  const lineOf = (position: number): number => source.getLineAndCharacterOfPosition(position).line;
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node) && "body" in node && node.body) {
      const count = lineOf(node.end) - lineOf(node.getStart(source)) + 1;
      if (count > FUNCTION_LINES_MAX)
        found.push(`${file}:${lineOf(node.getStart(source)) + 1} (${count} lines)`);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** Exported functions, classes and constants without a doc comment. Types and re-exported kinds speak for themselves. */
function undocumented(file: string): string[] {
  const source = parse(file);
  return source.statements.flatMap((statement) => {
    const isExported =
      ts.canHaveModifiers(statement) &&
      ts.getModifiers(statement)?.some((modifier) => modifier.kind === ts.SyntaxKind.ExportKeyword);
    const needsDoc = ts.isFunctionDeclaration(statement) || ts.isClassDeclaration(statement);
    if (!isExported || !needsDoc) return [];
    const text = source.text.slice(statement.pos, statement.getStart(source));
    if (text.includes("/**")) return [];
    const line = source.getLineAndCharacterOfPosition(statement.getStart(source)).line + 1;
    return [`${file}:${line}`];
  });
}
