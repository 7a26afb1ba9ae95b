import { Recent } from "../../base/recent.ts";
import type { KubeObject } from "../../api/machinery/object.ts";

/** Values of which an object has one, and many objects the same. */
const SPEC = ',"spec":{';
const FIELDS = '"fieldsV1":{';
const LABELS = ',"labels":{';
const OWNERS = ',"ownerReferences":[';
/** In place of what is cut out. `JSON.stringify` never writes it, so it is nowhere else. */
const MARK = "-0";
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const COLON = 0x3a;

/** Texts whose values are remembered: those of the templates at work now. Doubling costs a megabyte where nothing is alike. */
const TEXTS_MAX = 256;
/** Longer texts are parsed each time: remembering them would fill the memory. Sets of fields have up to 4 kB. */
const TEXT_LENGTH_MAX = 8192;
/** Shorter members of a spec are not worth a look: their values are hardly larger than the place for them. */
const MEMBER_LENGTH_MIN = 32;

const values = new Recent<string, object>(TEXTS_MAX);

/**
 * `JSON.parse` of an object, but what many objects have in common is one value for all: the labels of a template and its spec (its
 * members, where a Pod's node makes it an object of its own), the owners, the field sets of a manager.
 *
 * Flow: those texts are cut out, the rest is parsed with a mark in their places, and there the values are put which the same
 * texts had before. Where a place turns out to be no such place (a `spec` somewhere deep inside), all is parsed as it is.
 * A start that reads 150,000 Pods of some templates so makes a third of the objects that `JSON.parse` would.
 * @shape `text`: an object as `JSON.stringify` writes it. The result is not to be changed: nor anything in it.
 */
export function parseShared(text: string): KubeObject {
  const cuts = cutsOf(text);
  if (cuts.length === 0) return JSON.parse(text) as KubeObject;
  let rest = "";
  let from = 0;
  for (const { begin, end } of cuts) {
    rest += text.slice(from, begin) + MARK;
    from = end;
  }
  const object = JSON.parse(rest + text.slice(from)) as Loose;
  return filled(object, text, cuts) ? (object as KubeObject) : (JSON.parse(text) as KubeObject);
}

interface Cut {
  readonly begin: number;
  readonly end: number;
}

interface Loose {
  spec?: unknown;
  readonly metadata?: {
    labels?: unknown;
    ownerReferences?: unknown;
    readonly managedFields?: unknown;
  };
}

type Managed = { fieldsV1?: unknown } | null;

/** Where labels and owners lie, after them field sets, and then the spec. */
function cutsOf(text: string): Cut[] {
  const cuts: Cut[] = [];
  let from = 0;
  const fields = text.indexOf(FIELDS);
  const spec = text.indexOf(SPEC);
  for (const word of [LABELS, OWNERS]) {
    const at = text.indexOf(word, from);
    // Behind those they would be of a template.
    if (at < 0 || (fields >= 0 && at > fields) || (spec >= 0 && at > spec)) continue;
    const begin = at + word.length - 1;
    from = endOf(text, begin);
    cuts.push({ begin, end: from });
  }
  for (let at = fields; at >= 0; at = text.indexOf(FIELDS, from)) {
    const begin = at + FIELDS.length - 1;
    from = endOf(text, begin);
    cuts.push({ begin, end: from });
  }
  const at = text.indexOf(SPEC, from);
  if (at >= 0) cuts.push({ begin: at + SPEC.length - 1, end: endOf(text, at + SPEC.length - 1) });
  return cuts;
}

/** Puts the values into their places. @returns false: they are not where they are looked for */
function filled(object: Loose, text: string, cuts: readonly Cut[]): boolean {
  const { metadata } = object;
  const entries = metadata?.managedFields;
  let next = 0;
  const following = (parse: (text: string) => object): object | undefined => {
    const cut = cuts[next++];
    return cut && valueOf(text.slice(cut.begin, cut.end), parse);
  };
  if (Object.is(metadata?.labels, -0)) metadata!.labels = following(parsed);
  if (Object.is(metadata?.ownerReferences, -0)) metadata!.ownerReferences = following(parsed);
  for (const entry of Array.isArray(entries) ? (entries as readonly Managed[]) : []) {
    if (!entry || !Object.is(entry.fieldsV1, -0)) continue;
    entry.fieldsV1 = following(parsed);
  }
  if (Object.is(object.spec, -0)) object.spec = following(parsedByMembers);
  return next === cuts.length;
}

function valueOf(text: string, parse: (text: string) => object): object {
  if (text.length > TEXT_LENGTH_MAX) return parse(text);
  let value = values.get(text);
  // A copy: a part of another text would keep all of that.
  if (!value) values.set(Buffer.from(text).toString(), (value = parse(text)));
  return value;
}

const parsed = (text: string): object => JSON.parse(text) as object;

/** An object whose larger members are shared. */
function parsedByMembers(text: string): object {
  const members: { readonly name: string; readonly text: string }[] = [];
  let rest = "";
  let from = 0;
  for (let at = 1; at < text.length;) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      const end = endOfString(text, at);
      const begin = end + 1;
      const first = text.charCodeAt(begin);
      if (text.charCodeAt(end) === COLON && (first === OPEN_BRACE || first === OPEN_BRACKET)) {
        const last = endOf(text, begin);
        if (last - begin >= MEMBER_LENGTH_MIN) {
          const name = JSON.parse(text.slice(at, end)) as string;
          members.push({ name, text: text.slice(begin, last) });
          rest += text.slice(from, begin) + MARK;
          from = last;
        }
        at = last;
      } else at = end;
    } else at++;
  }
  const object = JSON.parse(rest + text.slice(from)) as Record<string, unknown>;
  for (const member of members) object[member.name] = valueOf(member.text, parsed);
  return object;
}

/** Where the object or array that begins at `at` ends: behind its bracket. */
function endOf(text: string, at: number): number {
  let depth = 0;
  for (;;) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = endOfString(text, at);
      continue;
    }
    at++;
    if (code === OPEN_BRACE || code === OPEN_BRACKET) depth++;
    else if ((code === CLOSE_BRACE || code === CLOSE_BRACKET) && --depth === 0) return at;
    else if (at >= text.length) return text.length;
  }
}

/** Where the string that begins at `at` ends: behind its quote. */
function endOfString(text: string, at: number): number {
  for (let end = at + 1; end < text.length; end++) {
    const code = text.charCodeAt(end);
    if (code === QUOTE) return end + 1;
    if (code === BACKSLASH) end++;
  }
  return text.length;
}
