import type { Model } from "./model.ts";

/** TypeScript interfaces of all models, every level read-only. Times stay text, as on the wire. */
export function typesFile(models: readonly Model[]): string {
  const parts = models.map((model) => {
    const fields = model.fields.map(
      (field) =>
        `  readonly ${propertyName(field.name)}${field.isRequired ? "" : "?"}: ${typeText(field.type, field.format)};`,
    );
    return `export interface ${model.name} {\n${fields.join("\n")}\n}\n`;
  });
  return `export type IntOrString = number | string;\n\n${parts.join("\n")}`;
}

function propertyName(name: string): string {
  return /^[A-Za-z_]\w*$/.test(name) ? name : JSON.stringify(name);
}

function typeText(type: string, format: string): string {
  const array = /^Array<(.*)>$/.exec(type);
  if (array) return `readonly (${typeText(array[1]!, format)})[]`;
  const map = /^\{ \[key: string\]: (.*); \}$/.exec(type);
  if (map) return `{ readonly [key: string]: ${typeText(map[1]!, format)} }`;
  if (type === "Date" || type === "V1MicroTime") return "string";
  if (type === "any" || type === "object") return "unknown";
  return type;
}
