import { isSmall } from "../../../base/is-small.ts";
import { Recent } from "../../../base/recent.ts";
import {
  atomOfValue,
  fieldValue,
  heldFields,
  isEmptyValue,
  isLeafAtom,
  type ApplyField,
  type Atom,
  type ListAtom,
  type StructAtom,
} from "./apply-type.ts";
import { EMPTY_SET, hasElement, isEmptySet, readFieldSet, type FieldSet } from "./field-set.ts";
import { itemElement } from "./list-item.ts";
import { fieldElement, inElementOrder } from "./path-element.ts";

/**
 * The fields that whoever creates `object` comes to own, `undefined` for none: what {@link compareTyped} would call added to or
 * changed from an object that nobody has set anything of.
 *
 * Why a walk of its own: creation is the hottest write. It makes the text of the set in one pass, without paths and sets, and
 * objects of one shape (the Pods of a ReplicaSet) then share one document.
 * @shape   `skipped`: members are left out with all below them.
 * @bounds  keeps at most twice {@link DOCUMENTS_MAX} documents, and of twice {@link SPECS_MAX} specs what belongs to them, all
 *          of them small.
 * @throws  {NoPlace} an item of a list has no place in it.
 */
export function createdFields(type: Atom, object: object, skipped: FieldSet): FieldSet | undefined {
  const { spec } = object as { readonly spec?: unknown };
  const isStruct = type.kind === "struct" && typeof spec === "object" && spec !== null;
  const known = isStruct ? specsFor(type, skipped, spec) : undefined;
  if (!known || !isStruct) return documentOf(insideOf(type, object, false, skipped));
  const others = insideOfStruct(type, object, false, skipped, "spec");
  let set = known.get(others);
  if (!set) {
    set = documentOf(insideOfStruct(type, object, false, skipped)) ?? EMPTY_SET;
    if (others.length <= TEXT_CHARACTERS_MAX) known.set(others, set);
  }
  return isEmptySet(set) ? undefined : set;
}

/**
 * Shapes of objects remembered. A cluster creates objects of some hundred shapes again and again, each about 2 kB; tenfold would
 * still fit, but a flood of unlike objects would fill it for nothing.
 */
const DOCUMENTS_MAX = 512;
/** Specs remembered, and shapes of metadata for each: new objects come in numbers from few templates, which share their spec. */
const SPECS_MAX = 64;
const METADATA_MAX = 16;

/** Characters of a shape that is remembered. Doubling it doubles what a client can make us hold. */
const TEXT_CHARACTERS_MAX = 32 * 1024;

const documents = new Recent<string, FieldSet>(DOCUMENTS_MAX);

function documentOf(text: string): FieldSet | undefined {
  if (text === "") return undefined;
  const known = documents.get(text);
  if (known) return known;
  const set = readFieldSet(JSON.parse(`{${text}}`))!;
  if (text.length <= TEXT_CHARACTERS_MAX) documents.set(text, set);
  return set;
}

type Specs = Recent<object, Recent<string, FieldSet>>;

const specsOf = new WeakMap<Atom, WeakMap<FieldSet, Specs>>();

/** What is known of objects with this very spec, by the text of their other fields; `undefined`: it is too large to be kept. */
function specsFor(
  type: Atom,
  skipped: FieldSet,
  spec: object,
): Recent<string, FieldSet> | undefined {
  let bySkipped = specsOf.get(type);
  if (!bySkipped) specsOf.set(type, (bySkipped = new WeakMap()));
  let specs = bySkipped.get(skipped);
  if (!specs) bySkipped.set(skipped, (specs = new Recent(SPECS_MAX)));
  let known = specs.get(spec);
  if (!known && isSmall(spec)) specs.set(spec, (known = new Recent(METADATA_MAX)));
  return known;
}

const LEAF = "{}";

/** The node of a value that was not there before. */
function addedNode(type: Atom, value: unknown): string {
  const atom = atomOfValue(type, value);
  if (isLeafAtom(atom) || isEmptyValue(atom, value)) return LEAF;
  const inside = insideOf(atom, value, true, EMPTY_SET);
  return inside === "" ? '{".":{}}' : `{".":{},${inside}}`;
}

/** What stands in the node of a container. `isNew`: the container itself was not there before. */
function insideOf(type: Atom, value: unknown, isNew: boolean, skipped: FieldSet): string {
  const atom = atomOfValue(type, value);
  switch (atom.kind) {
    case "struct":
      return insideOfStruct(atom, value, isNew, skipped);
    case "map":
      return insideOfMap(atom.items, value as Readonly<Record<string, unknown>>, skipped);
    case "list":
      return insideOfList(atom, value as readonly unknown[]);
    default:
      return "";
  }
}

/** In the order of FieldsV1, in place: a handful of fields, for which Array.sort costs more than the rest of the walk. */
function inRank(fields: ApplyField[]): ApplyField[] {
  for (let index = 1; index < fields.length; index++) {
    const field = fields[index]!;
    let at = index;
    for (; at > 0 && fields[at - 1]!.rank > field.rank; at--) fields[at] = fields[at - 1]!;
    fields[at] = field;
  }
  return fields;
}

function insideOfStruct(
  atom: StructAtom,
  value: unknown,
  isNew: boolean,
  skipped: FieldSet,
  except = "",
): string {
  let text = "";
  for (const field of inRank(heldFields(atom, value))) {
    if (field.name === except) continue;
    const node = nodeOfField(field, value, isNew, skipped);
    if (node !== "") text += (text === "" ? "" : ",") + field.keyText + node;
  }
  return text;
}

function nodeOfField(
  field: ApplyField,
  holder: unknown,
  isNew: boolean,
  skipped: FieldSet,
): string {
  const content = fieldValue(holder, field);
  if (content === undefined) return "";
  if (isNew) return field.isLeaf ? LEAF : addedNode(field.atom, content);
  const skips = skipped[field.element];
  if (skips !== undefined && hasElement(skipped, field.element)) return "";
  if (field.zero === undefined) return addedNode(field.atom, content);
  return changedNode(field.atom, content, field.zero, skips ?? EMPTY_SET);
}

/** The node of a value that stood there as `zero`. */
function changedNode(type: Atom, value: unknown, zero: unknown, skipped: FieldSet): string {
  if (value === zero) return "";
  const atom = atomOfValue(type, value);
  if (atom.kind === "scalar") return LEAF;
  if (isLeafAtom(atom)) return isEmptyValue(atom, value) && zero !== null ? "" : LEAF;
  // Nothing became something empty: `[]` where Go would show null.
  if (isEmptyValue(atom, value)) return zero === null ? LEAF : "";
  const inside = insideOf(atom, value, false, skipped);
  return inside === "" ? "" : `{${inside}}`;
}

function insideOfMap(
  items: Atom,
  value: Readonly<Record<string, unknown>>,
  skipped: FieldSet,
): string {
  let text = "";
  for (const key of sortedKeys(value)) {
    const element = fieldElement(key);
    if (skipped[element] !== undefined && hasElement(skipped, element)) continue;
    text += `${text === "" ? "" : ","}${JSON.stringify(element)}:${addedNode(items, value[key])}`;
  }
  return text;
}

function sortedKeys(value: Readonly<Record<string, unknown>>): readonly string[] {
  const keys = Object.keys(value);
  for (let index = 1; index < keys.length; index++)
    if (keys[index - 1]! > keys[index]!) return keys.sort();
  return keys;
}

function insideOfList(atom: ListAtom, value: readonly unknown[]): string {
  if (value.length === 1) {
    const element = itemElement(atom, value[0]);
    return `${JSON.stringify(element)}:${addedNode(atom.items, value[0])}`;
  }
  const nodes = new Map<string, string>();
  for (const item of value) {
    const element = itemElement(atom, item);
    // Of items with one key nothing is owned but the key.
    nodes.set(element, nodes.has(element) ? LEAF : addedNode(atom.items, item));
  }
  let text = "";
  for (const element of inElementOrder([...nodes.keys()]))
    text += `${text === "" ? "" : ","}${JSON.stringify(element)}:${nodes.get(element)!}`;
  return text;
}
