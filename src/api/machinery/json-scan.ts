/**
 * What `JSON.parse` does not tell of a text that it accepts: fields that occur twice, numbers that it rounded.
 *
 * Both are rare, so these scans run only after a cheap test says that there may be something to find.
 */

/** Paths of fields that occur more than once, each once: `metadata.labels.a`, `spec.ports[0].name`. */
export function duplicateFields(text: string): readonly string[] {
  const found = new Set<string>();
  const stack: Level[] = [];
  for (let at = 0; at < text.length; at++) {
    const level = stack.at(-1);
    switch (text[at]) {
      case "{":
        stack.push({ path: pathIn(level), keys: new Set() });
        break;
      case "[":
        stack.push({ path: pathIn(level), index: 0 });
        break;
      case "}":
      case "]":
        stack.pop();
        break;
      case ",":
        if (level?.index !== undefined) level.index++;
        break;
      case '"': {
        const end = stringEnd(text, at);
        if (level?.keys && isKey(text, end))
          noteKey(level, JSON.parse(text.slice(at, end)) as string, found);
        at = end - 1;
      }
    }
  }
  return [...found];
}

/** An object or array that is open; `path` is its own. */
interface Level {
  readonly path: string;
  readonly keys?: Set<string>;
  key?: string;
  index?: number;
}

function noteKey(level: Level, key: string, found: Set<string>): void {
  level.key = key;
  if (level.keys!.has(key)) found.add(pathIn(level));
  level.keys!.add(key);
}

function pathIn(level: Level | undefined): string {
  if (level === undefined) return "";
  if (level.index !== undefined) return `${level.path}[${level.index}]`;
  return level.path === "" ? level.key! : `${level.path}.${level.key}`;
}

function isKey(text: string, at: number): boolean {
  while (" \t\r\n".includes(text[at]!)) at++;
  return text[at] === ":";
}

/** The position behind the string that begins at `start`. */
function stringEnd(text: string, start: number): number {
  let end = start + 1;
  for (;;) {
    const quote = text.indexOf('"', end);
    let backslashes = 0;
    while (text[quote - 1 - backslashes] === "\\") backslashes++;
    end = quote + 1;
    if (backslashes % 2 === 0) return end;
  }
}

/** The first integer of a JSON text that a double does not hold digit for digit. */
export function inexactNumber(text: string): string | undefined {
  for (let at = 0; at < text.length; at++) {
    const c = text[at]!;
    if (c === '"') at = stringEnd(text, at) - 1;
    else if (c === "-" || (c >= "0" && c <= "9")) {
      NUMBER.lastIndex = at;
      const number = NUMBER.exec(text)![0];
      if (/^-?[0-9]+$/.test(number) && number !== "-0" && String(Number(number)) !== number)
        return number;
      at += number.length - 1;
    }
  }
  return undefined;
}

const NUMBER = /[-+0-9.eE]+/y;
