import { readFileSync } from "node:fs";
import { join } from "node:path";

/** One API type as the model package describes it. */
export interface Model {
  /** `V1Pod` */
  readonly name: string;
  readonly description: string;
  readonly fields: readonly ModelField[];
}

export interface ModelField {
  /** The name on the wire. */
  readonly name: string;
  /** `string`, `number`, `boolean`, `Date`, `any`, `IntOrString`, `V1Pod`, `Array<…>`, `{ [key: string]: …; }` */
  readonly type: string;
  /** `int32`, `int64`, `double`, `date-time`, `byte`, `int-or-string` or "". */
  readonly format: string;
  readonly description: string;
  readonly isRequired: boolean;
}

const PACKAGE = "node_modules/@kubernetes/client-node/dist/gen/models";

/**
 * Reads every current type out of the model package, sorted by name.
 *
 * Why its serializer's type map and not its folder: the folder also holds types of releases long gone.
 */
export function readModels(root: string): readonly Model[] {
  const folder = join(root, PACKAGE);
  const serializer = readFileSync(join(folder, "ObjectSerializer.js"), "utf8");
  const map = serializer.slice(serializer.indexOf("let typeMap = {"));
  const names = [...map.slice(0, map.indexOf("};")).matchAll(/^ {4}"(\w+)":/gm)].map((m) => m[1]!);
  return names.sort().map((name) => readModel(folder, name));
}

function readModel(folder: string, name: string): Model {
  const code = readFileSync(join(folder, `${name}.js`), "utf8");
  const start = code.indexOf(".attributeTypeMap = [");
  const attributes = JSON.parse(
    start < 0 ? "[]" : code.slice(code.indexOf("[", start), code.indexOf("];", start) + 1),
  ) as { name: string; baseName: string; type: string; format: string }[];
  const declaration = readFileSync(join(folder, `${name}.d.ts`), "utf8");
  return {
    name,
    description: comment(declaration, new RegExp(`export declare class ${name} `)),
    fields: attributes.map(({ name: property, baseName, type, format }) => {
      const found = new RegExp(`^ {4}'${property}'(\\??):`, "m").exec(declaration);
      if (!found) throw new Error(`${name}.d.ts declares no field ${property}`);
      return {
        name: baseName,
        type,
        format,
        description: comment(declaration, new RegExp(`^ {4}'${property}'\\??:`, "m")),
        isRequired: found[1] === "",
      };
    }),
  };
}

/** The text of the doc comment that ends right before the first match of `before`. */
function comment(code: string, before: RegExp): string {
  const at = before.exec(code)?.index ?? -1;
  const head = code.slice(0, at).trimEnd();
  if (at < 0 || !head.endsWith("*/")) return "";
  const body = head.slice(head.lastIndexOf("/**") + 3, -2);
  return body
    .split("\n")
    .map((line) => line.replace(/^\s*\* ?/, ""))
    .join("\n")
    .replace(/\\(['"])/g, "$1")
    .trim();
}
