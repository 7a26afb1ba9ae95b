/** The file is not what it should be; the message says where and why. Its author must mend it. */
export class ConfigurationError extends Error {
  override readonly name = "ConfigurationError";
}

/** Any part of the file: its fields are checked where they are read. */
export type Part = Readonly<Record<string, unknown>>;

/** @throws {ConfigurationError} it is no object. */
export function recordAt(value: unknown, path: string): Part {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Part;
  throw new ConfigurationError(`${path || "the file"}: expected an object`);
}

/** Absent: an empty one. @throws {ConfigurationError} it is no list. */
export function listAt(value: unknown, path: string): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value;
  throw new ConfigurationError(`${path}: expected a list`);
}

/** What a field must be and is not. */
export function wrong(path: string, value: unknown, rule: string): ConfigurationError {
  return new ConfigurationError(`${path} ${JSON.stringify(value) ?? "absent"}: ${rule}`);
}
