import { TurnSlab } from "../../base/turn-slab.ts";
import { copyBytes } from "../../base/uncounted-bytes.ts";
import { remembered, rememberedOnReturn } from "../../base/recent.ts";
import type { KubeObject, ObjectMeta } from "../../api/machinery/object.ts";
import type { TypeSchema } from "../../api/machinery/schema.ts";
import type { Revision } from "../../store/store.ts";
import { SHARED_META, sharedMetaText } from "./shared-meta.ts";
import { parseShared } from "./shared-parse.ts";

/** Bytes before the JSON in a stored value: two numbers of 32 bits, see {@link encodeObject}. */
const PREFIX_BYTES = 8;
const RESOURCE_VERSION = Buffer.from('"resourceVersion":"');
const QUOTE = 0x22;
const ZERO = 0x30;
const BRACE = 0x7b;

/**
 * One version of one object: its JSON, encoded once when it was written, and the object itself, parsed on first use.
 *
 * The stored value lacks `metadata.resourceVersion`, which the store decides after the value is made; `revision` fills the
 * gap. So the bytes come in three slices: head (`{"kind":…,"apiVersion":…,`), up to where the version goes, the rest.
 * @spec docs/design/apiserver.md "One object version"
 */
export class ObjectVersion {
  /** `NAMESPACE/NAME` within the resource. */
  readonly key: string;
  readonly revision: Revision;
  /** As the store holds it. */
  readonly value: Buffer;
  /** It was read, not written by this server: there is no object until one is asked for. */
  readonly isLoaded: boolean;
  #object: KubeObject | undefined;
  /** Of which this is the content at another revision. */
  #origin: ObjectVersion | undefined;
  #shapes: Map<string, unknown> | undefined;

  constructor(key: string, revision: Revision, value: Buffer, object?: KubeObject) {
    this.key = key;
    this.revision = revision;
    this.value = value;
    this.isLoaded = object === undefined;
    this.#object = object;
  }

  /** Shared by everyone: not to be changed. */
  get object(): KubeObject {
    return (this.#object ??= this.#origin
      ? withRevision(this.#origin.object, String(this.revision))
      : parseShared(this.#text()));
  }

  get meta(): ObjectMeta {
    return this.object.metadata!;
  }

  /**
   * The same content at another revision, as a deletion shows it: the same bytes, and no object until one is asked for. An answer to
   * the deletion of 50,000 objects holds nothing of its own.
   */
  at(revision: Revision): ObjectVersion {
    const other = new ObjectVersion(this.key, revision, this.value);
    other.#origin = this;
    return other;
  }

  /** The whole JSON. `revision` differs from the version's own in DELETED events. */
  json(revision: Revision = this.revision): Buffer {
    const out = Buffer.allocUnsafe(this.#jsonBytes(revision));
    this.#write(out, 0, PREFIX_BYTES, revision);
    return out;
  }

  /** Bytes that {@link writeJson} will write. */
  jsonLength(revision: Revision = this.revision): number {
    return this.#jsonBytes(revision);
  }

  /** @returns where the JSON ends in `target`. */
  writeJson(target: Buffer, at: number, revision: Revision = this.revision): number {
    return this.#write(target, at, PREFIX_BYTES, revision);
  }

  /** Bytes that {@link writeItem} will write. */
  get itemLength(): number {
    return this.#jsonBytes(this.revision) - this.#headBytes + 1;
  }

  /** The JSON without kind and apiVersion, as the items of a list are. */
  writeItem(target: Buffer, at: number): number {
    target[at] = BRACE;
    return this.#write(target, at + 1, PREFIX_BYTES + this.#headBytes, this.revision);
  }

  /** A shape made on demand and kept with the version. */
  shape<T>(name: string, make: () => T): T {
    this.#shapes ??= new Map();
    let shape = this.#shapes.get(name) as T | undefined;
    if (shape === undefined) this.#shapes.set(name, (shape = make()));
    return shape;
  }

  #text(): string {
    const { value } = this;
    const split = value.readUInt32LE(4);
    const before = value.toString("utf8", PREFIX_BYTES, split);
    return `${before}"resourceVersion":"${this.revision}"${value.toString("utf8", split)}`;
  }

  get #headBytes(): number {
    return this.value.readUInt32LE(0);
  }

  #jsonBytes(revision: Revision): number {
    return this.value.length - PREFIX_BYTES + RESOURCE_VERSION.length + digitsOf(revision) + 1;
  }

  #write(target: Buffer, at: number, from: number, revision: Revision): number {
    const { value } = this;
    const split = value.readUInt32LE(4);
    let end = at + copyBytes(value, from, split, target, at);
    // By hand: a call into the runtime for each of these few bytes would be most of the cost of an item.
    for (let index = 0; index < RESOURCE_VERSION.length; index++)
      target[end++] = RESOURCE_VERSION[index]!;
    end += digitsOf(revision);
    for (let left = revision, digit = end - 1; ; digit--) {
      target[digit] = ZERO + (left % 10);
      if (left < 10) break;
      left = Math.floor(left / 10);
    }
    target[end++] = QUOTE;
    return end + copyBytes(value, split, value.length, target, end);
  }
}

/** How many digits a revision has. */
function digitsOf(revision: Revision): number {
  let digits = 1;
  for (let limit = 10; revision >= limit; limit *= 10) digits++;
  return digits;
}

/**
 * The stored value of `object`: `u32 headBytes, u32 split, JSON without resourceVersion`, with kind, apiVersion and metadata
 * first, and in metadata what comes before resourceVersion on the wire. `split`: where it goes, counted from the value's start.
 *
 * `metadata.uid` must be set: the gap is behind it. `sharedField`: one that many objects have in common, so that its text
 * is made once.
 */
export function encodeObject(object: KubeObject, sharedField?: string): Buffer {
  const { kind, apiVersion, metadata } = object;
  const head = headText(kind, apiVersion);
  const before = `${head}"metadata":{${membersOf(metadata!, (field) => FIRST.has(field))},`;
  const isOther = (field: string): boolean => !FIRST.has(field) && !LEFT_OUT.has(field);
  const others = membersOf(metadata!, isOther, metaText);
  const rest = membersOf(
    object,
    (field) => !HEAD.has(field),
    (field, value) => (field === sharedField ? sharedText(value) : JSON.stringify(value)),
  );
  const metaTail = others === "" ? "}" : `,${others}}`;
  const text = before + metaTail + (rest === "" ? "}" : `,${rest}}`);
  const length = Buffer.byteLength(text);
  const value = values.allocate(PREFIX_BYTES + length);
  const isOneByteEach = length === text.length;
  value.writeUInt32LE(head.length, 0);
  value.writeUInt32LE(
    PREFIX_BYTES + (isOneByteEach ? before.length : Buffer.byteLength(before)),
    4,
  );
  value.write(text, PREFIX_BYTES, isOneByteEach ? "latin1" : "utf8");
  return value;
}

const values = new TurnSlab();

function headText(kind: string | undefined, apiVersion: string | undefined): string {
  return `{"kind":${JSON.stringify(kind)},"apiVersion":${JSON.stringify(apiVersion)},`;
}

const HEAD: ReadonlySet<string> = new Set(["kind", "apiVersion", "metadata"]);
const FIRST: ReadonlySet<string> = new Set(["name", "generateName", "namespace", "uid"]);
const LEFT_OUT: ReadonlySet<string> = new Set(["resourceVersion", "selfLink"]);

const plainText = (_field: string, value: object): string => JSON.stringify(value);

/** `"a":1,"b":{}`: the chosen fields of an object that are set, in its order. */
function membersOf(
  object: object,
  isWanted: (field: string) => boolean,
  textOf: (field: string, value: object) => string = plainText,
): string {
  let text = "";
  for (const field in object) {
    if (!isWanted(field)) continue;
    const value = object[field as never] as unknown;
    if (value === undefined) continue;
    const json = textOf(field, value as object);
    text += text === "" ? nameText(field) + json : `,${nameText(field)}${json}`;
  }
  return text;
}

/** Names of fields whose texts are kept: all that the types have at the top and in metadata. Doubling costs nothing and brings nothing. */
const NAME_TEXTS_MAX = 1024;
const nameTexts = new Map<string, string>();

/** `"name":`. Making it costs more than most values. */
function nameText(field: string): string {
  const known = nameTexts.get(field);
  if (known !== undefined) return known;
  const text = `${JSON.stringify(field)}:`;
  if (nameTexts.size < NAME_TEXTS_MAX) nameTexts.set(field, text);
  return text;
}

/** Texts of shared values that are remembered: those of the templates at work now. Doubling costs some 100 kB. */
const SHARED_TEXTS_MAX = 64;

/** The text of a value that many objects have in common; or most of it, as bound Pods have all of their spec but the node. */
const sharedText = rememberedOnReturn(SHARED_TEXTS_MAX, (value: object) => {
  if (Array.isArray(value)) return JSON.stringify(value);
  let text = "";
  for (const field in value) {
    const member = value[field as never] as unknown;
    if (member === undefined) continue;
    const json = typeof member === "object" && member ? memberText(member) : JSON.stringify(member);
    text += `${text && ","}${JSON.stringify(field)}:${json}`;
  }
  return `{${text}}`;
});

/** Texts of members of shared values that are remembered: a Pod's spec has about eight. */
const MEMBER_TEXTS_MAX = 512;

const memberText = remembered(MEMBER_TEXTS_MAX, (value: object) => JSON.stringify(value));

function metaText(field: string, value: object): string {
  if (field === "managedFields") return managersText(value);
  return SHARED_META.has(field) ? sharedMetaText(value) : JSON.stringify(value);
}

/** Lists of managers whose texts are remembered: those of objects that are created together. Doubling costs some 100 kB. */
const MANAGERS_TEXTS_MAX = 64;

/** The managers of fields: their sets, most of their text, are shared by objects of one shape and by versions of one object. */
const managersText = rememberedOnReturn(MANAGERS_TEXTS_MAX, (entries: object) => {
  if (!Array.isArray(entries)) return JSON.stringify(entries);
  const texts = entries.map((entry: object) => membersOf(entry, () => true, entryText));
  return `[${texts.map((text) => `{${text}}`).join(",")}]`;
});

const entryText = (field: string, value: object): string =>
  field === "fieldsV1" ? setText(value) : JSON.stringify(value);

/** Texts of sets of fields that are remembered, each about 1 kB. */
const SET_TEXTS_MAX = 512;

const setText = remembered(SET_TEXTS_MAX, (set: object) => JSON.stringify(set));

/** In the order of the wire; `resourceVersion` has its place but no value. @spec apimachinery meta/v1 ObjectMeta */
const META_FIELDS = [
  "name",
  "generateName",
  "namespace",
  "uid",
  "resourceVersion",
  "generation",
  "creationTimestamp",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
  "labels",
  "annotations",
  "ownerReferences",
  "finalizers",
  "managedFields",
] as const;

/** `object` in the order of the wire, with `revision` as its resourceVersion; `schema` gives the order of the top level. */
export function withRevision(
  object: KubeObject,
  revision: string | undefined,
  schema?: TypeSchema,
): KubeObject {
  const given = object.metadata as Readonly<Record<string, unknown>>;
  const metadata: Record<string, unknown> = {};
  for (const field of META_FIELDS) {
    const value = field === "resourceVersion" ? revision : given[field];
    if (value !== undefined) metadata[field] = value;
  }
  const { kind, apiVersion } = object;
  const out: Record<string, unknown> = { kind, apiVersion, metadata };
  const fields = object as Readonly<Record<string, unknown>>;
  if (schema)
    for (const field in schema.fields)
      if (!(field in out) && fields[field] !== undefined) out[field] = fields[field];
  for (const field in fields) if (!(field in out)) out[field] = fields[field];
  return out as KubeObject;
}
