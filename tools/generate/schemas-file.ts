import type { TypeSchema } from "../../src/api/machinery/schema.ts";

/**
 * The schemas as a module of texts, one per type: the server reads a type when it first needs it, so loading costs nothing.
 */
export function schemasFile(schemas: readonly TypeSchema[]): string {
  const types = schemas.map(({ name, fields }) => {
    return `  ${JSON.stringify(name)}:\n    ${literal(JSON.stringify(fields))},`;
  });
  const roots = schemas.flatMap(({ name, kind }) => {
    return kind ? [`  "${kind.group}/${kind.version}/${kind.kind}": "${name}",`] : [];
  });
  return [
    "/** The fields of each type, as JSON. */",
    `export const typeTexts: Readonly<Record<string, string>> = {\n${types.join("\n")}\n};`,
    "/** GROUP/VERSION/KIND → name of the type. */",
    `export const rootNames: Readonly<Record<string, string>> = {\n${roots.join("\n")}\n};\n`,
  ].join("\n\n");
}

function literal(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
