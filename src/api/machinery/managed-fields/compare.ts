import { equalJson } from "../equality.ts";
import {
  atomOfValue,
  DEDUCED,
  fieldValue,
  heldFields,
  isEmptyValue,
  isLeafAtom,
  type ApplyField,
  type Atom,
  type ListAtom,
  type MapAtom,
  type StructAtom,
} from "./apply-type.ts";
import {
  EMPTY_SET,
  FieldSetBuilder,
  hasElement,
  isEmptySet,
  recursiveDifference,
  type FieldSet,
} from "./field-set.ts";
import { itemElement } from "./list-item.ts";
import { fieldElement, type PathElement } from "./path-element.ts";

/** Which fields differ between two objects of one type. */
export interface Comparison {
  readonly added: FieldSet;
  readonly modified: FieldSet;
  readonly removed: FieldSet;
}

/** True when the two objects are the same. */
export function isSame({ added, modified, removed }: Comparison): boolean {
  return isEmptySet(added) && isEmptySet(modified) && isEmptySet(removed);
}

/** The comparison without the members of `fields` and all below them. */
export function excludeFields(comparison: Comparison, fields: FieldSet): Comparison {
  return {
    added: recursiveDifference(comparison.added, fields),
    modified: recursiveDifference(comparison.modified, fields),
    removed: recursiveDifference(comparison.removed, fields),
  };
}

/**
 * What changed from `before` to `after`, which are objects as the server keeps them: a field that Go always shows counts as
 * there, with its zero. `skipped`: its top-level members are not looked at.
 *
 * @throws {NoPlace} an item of a list has no place in it.
 * @spec structured-merge-diff v6 typed/compare.go
 */
export function compareTyped(
  type: Atom,
  before: unknown,
  after: unknown,
  skipped: FieldSet = EMPTY_SET,
): Comparison {
  const walk: Walk = {
    path: [],
    skipped,
    added: new FieldSetBuilder(),
    modified: new FieldSetBuilder(),
    removed: new FieldSetBuilder(),
  };
  compareNodes(walk, type, before, after);
  return {
    added: walk.added.build(),
    modified: walk.modified.build(),
    removed: walk.removed.build(),
  };
}

interface Walk {
  readonly path: PathElement[];
  /** Top-level fields that nobody asks about. */
  readonly skipped: FieldSet;
  readonly added: FieldSetBuilder;
  readonly modified: FieldSetBuilder;
  readonly removed: FieldSetBuilder;
}

/** At least one of the two is there. */
function compareNodes(walk: Walk, type: Atom, before: unknown, after: unknown): void {
  if (before === after) return;
  const atom = atomOfValue(type, after ?? before);
  // A value without a type that changed its form changed as a whole.
  if (type === DEDUCED && before != null && after != null && atomOfValue(type, before) !== atom)
    return leaf(walk, before, after);
  if (
    atom.kind === "scalar" ||
    isLeafAtom(atom) ||
    (isEmptyValue(atom, before) && isEmptyValue(atom, after))
  )
    return leaf(walk, before, after);
  if (atom.kind === "struct") compareStructs(walk, atom, before, after);
  else if (atom.kind === "map") compareMaps(walk, atom, before, after);
  else compareLists(walk, atom, before, after);
  if (before === undefined) walk.added.insert(walk.path);
  else if (after === undefined) walk.removed.insert(walk.path);
}

function leaf(walk: Walk, before: unknown, after: unknown): void {
  if (before === undefined) walk.added.insert(walk.path);
  else if (after === undefined) walk.removed.insert(walk.path);
  else if (!equalJson(before, after)) walk.modified.insert(walk.path);
}

function descend(
  walk: Walk,
  element: PathElement,
  type: Atom,
  before: unknown,
  after: unknown,
): void {
  walk.path.push(element);
  compareNodes(walk, type, before, after);
  walk.path.pop();
}

function compareStructs(walk: Walk, atom: StructAtom, before: unknown, after: unknown): void {
  for (const field of heldFields(atom, after ?? before)) compareField(walk, field, before, after);
  if (before === undefined || before === null || after === undefined || after === null) return;
  for (const name in before) {
    if ((after as Record_)[name] !== undefined) continue;
    const field = atom.fields.get(name);
    if (field && field.zero === undefined) compareField(walk, field, before, after);
  }
}

function compareField(walk: Walk, field: ApplyField, before: unknown, after: unknown): void {
  const skipped = walk.path.length === 0 && hasElement(walk.skipped, field.element);
  if (skipped) return;
  const [left, right] = [fieldValue(before, field), fieldValue(after, field)];
  if (left !== right) descend(walk, field.element, field.atom, left, right);
}

type Record_ = Readonly<Record<string, unknown>>;

function compareMaps(walk: Walk, atom: MapAtom, before: unknown, after: unknown): void {
  const [left, right] = [(before ?? {}) as Record_, (after ?? {}) as Record_];
  for (const key in left) {
    const other = Object.hasOwn(right, key) ? right[key] : undefined;
    descend(walk, fieldElement(key), atom.items, left[key], other);
  }
  for (const key in right)
    if (!Object.hasOwn(left, key))
      descend(walk, fieldElement(key), atom.items, undefined, right[key]);
}

function compareLists(walk: Walk, atom: ListAtom, before: unknown, after: unknown): void {
  // Most lists are as they were, and saying so is several times cheaper than finding the place of each item.
  if (before !== undefined && after !== undefined && equalJson(before, after)) return;
  const [left, right] = [itemsByElement(atom, before), itemsByElement(atom, after)];
  for (const [element, items] of left)
    compareItems(walk, atom, element, items, right.get(element) ?? []);
  for (const [element, items] of right)
    if (!left.has(element)) compareItems(walk, atom, element, [], items);
}

/** Items of a list by their element; more than one where a client stored duplicates. */
function itemsByElement(atom: ListAtom, list: unknown): ReadonlyMap<PathElement, unknown[]> {
  const items = new Map<PathElement, unknown[]>();
  for (const item of (list ?? []) as readonly unknown[]) {
    const element = itemElement(atom, item);
    const same = items.get(element);
    if (same) same.push(item);
    else items.set(element, [item]);
  }
  return items;
}

/** Items with one key are owned together, as one leaf. */
function compareItems(
  walk: Walk,
  atom: ListAtom,
  element: PathElement,
  left: readonly unknown[],
  right: readonly unknown[],
): void {
  if (left.length <= 1 && right.length <= 1)
    return descend(walk, element, atom.items, left[0], right[0]);
  if (left.length > 1 && right.length > 1) {
    if (!equalJson(left, right)) walk.modified.insert([...walk.path, element]);
    return;
  }
  if (left.length > 1) {
    if (right.length > 0) descend(walk, element, atom.items, undefined, right[0]);
    walk.removed.insert([...walk.path, element]);
    return;
  }
  if (left.length > 0) descend(walk, element, atom.items, left[0], undefined);
  walk.added.insert([...walk.path, element]);
}
