import { isRecord } from "../json-value.ts";
import {
  comparePathElements,
  inElementOrder,
  isKnownElement,
  isReadableElement,
  type PathElement,
} from "./path-element.ts";

/**
 * A set of fields of one object, in the form of FieldsV1: a tree whose keys are path elements. A node is a member when it has
 * the key `.` or no keys at all; the root is no member, and without keys it is the empty set. Keys are in canonical order.
 *
 * Sets are shared freely and never changed; an operation that removes or adds nothing returns its first argument itself.
 * @spec structured-merge-diff v6 fieldpath/set.go, serialize.go
 */
export interface FieldSet {
  readonly [element: PathElement]: FieldSet;
}

type Nodes = Record<PathElement, FieldSet>;

/** A member without members below it; as a root, the empty set. */
const LEAF: FieldSet = Object.freeze({});

/** The set of no field. */
export const EMPTY_SET: FieldSet = LEAF;

/** Marks a node as a member beside those below it. */
const SELF = ".";

/** True when nothing is in the set. */
export function isEmptySet(set: FieldSet): boolean {
  for (const _ in set) return false;
  return true;
}

const isMember = (node: FieldSet): boolean => node[SELF] !== undefined || isEmptySet(node);

function nodeOf(member: boolean, below: Nodes): FieldSet | undefined {
  if (isEmptySet(below)) return member ? LEAF : undefined;
  return member ? { [SELF]: LEAF, ...below } : below;
}

/** What is in `a` and not in `b`; of nodes, their own membership alone. */
export function difference(a: FieldSet, b: FieldSet): FieldSet {
  return withoutBelow(a, b, false);
}

/** What is in `a`, without the members of `b` and all below them. */
export function recursiveDifference(a: FieldSet, b: FieldSet): FieldSet {
  return withoutBelow(a, b, true);
}

function withoutBelow(a: FieldSet, b: FieldSet, isDeep: boolean): FieldSet {
  if (isEmptySet(b) || isEmptySet(a)) return a;
  let isChanged = false;
  const below: Nodes = {};
  for (const element in a) {
    const node = a[element]!;
    const other = element === SELF ? undefined : b[element];
    const rest = other === undefined ? node : withoutNode(node, other, isDeep);
    isChanged ||= rest !== node;
    if (rest !== undefined) below[element] = rest;
  }
  return isChanged ? below : a;
}

function withoutNode(node: FieldSet, other: FieldSet, isDeep: boolean): FieldSet | undefined {
  const isTaken = isMember(other);
  if (isDeep && isTaken) return undefined;
  const kept = withoutBelow(node, other, isDeep);
  const wasMember = isMember(node);
  if (kept === node && !(isTaken && wasMember)) return node;
  const { [SELF]: self, ...below } = kept;
  void self;
  return nodeOf(wasMember && !isTaken, below);
}

/** What is in `a`, in `b`, or in both. */
export function union(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b || isEmptySet(b)) return a;
  if (isEmptySet(a)) return b;
  return unionBelow(a, b);
}

function unionBelow(a: FieldSet, b: FieldSet): FieldSet {
  let isChanged = false;
  let isGrown = false;
  const below: Nodes = {};
  for (const element in a) {
    const node = a[element]!;
    const other = b[element];
    const both = other === undefined || element === SELF ? node : unionNode(node, other);
    isChanged ||= both !== node;
    below[element] = both;
  }
  for (const element in b) {
    if (element === SELF || below[element] !== undefined) continue;
    below[element] = b[element]!;
    isGrown = true;
  }
  if (isGrown) return inOrder(below);
  return isChanged ? below : a;
}

function unionNode(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b) return a;
  const joined = unionBelow(a, b);
  const member = isMember(a) || isMember(b);
  if (isEmptySet(joined)) return a;
  if (!member || joined[SELF] !== undefined) return joined;
  return { [SELF]: LEAF, ...joined };
}

/** The same nodes in canonical order. */
function inOrder(nodes: Nodes): FieldSet {
  const elements = Object.keys(nodes).filter((element) => element !== SELF);
  const sorted: Nodes = nodes[SELF] ? { [SELF]: LEAF } : {};
  for (const element of inElementOrder(elements)) sorted[element] = nodes[element]!;
  return sorted;
}

/** What is in both. */
export function intersection(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b) return a;
  const below: Nodes = {};
  for (const element in a) {
    const other = element === SELF ? undefined : b[element];
    if (other === undefined) continue;
    const node = intersectNodes(a[element]!, other);
    if (node) below[element] = node;
  }
  return below;
}

function intersectNodes(a: FieldSet, b: FieldSet): FieldSet | undefined {
  return nodeOf(isMember(a) && isMember(b), intersection(a, b) as Nodes);
}

/** True when the field at `path` is a member. */
export function hasPath(set: FieldSet, path: readonly PathElement[]): boolean {
  let node: FieldSet | undefined = set;
  for (const element of path) node = node?.[element];
  return path.length > 0 && node !== undefined && isMember(node);
}

/** True when the child `element` of a node is a member. */
export function hasElement(set: FieldSet, element: PathElement): boolean {
  const node = set[element];
  return node !== undefined && isMember(node);
}

/** The members below `element`, as a set of their own. */
export function below(set: FieldSet, element: PathElement): FieldSet {
  const node = set[element];
  if (node === undefined) return EMPTY_SET;
  if (node[SELF] === undefined) return node;
  const { [SELF]: self, ...rest } = node;
  void self;
  return rest;
}

/** All members, those of a level before those below it. @spec fieldpath/set.go Iterate */
export function pathsOf(set: FieldSet): readonly (readonly PathElement[])[] {
  const paths: (readonly PathElement[])[] = [];
  collect(set, [], paths);
  return paths;
}

function collect(
  set: FieldSet,
  prefix: readonly PathElement[],
  paths: (readonly PathElement[])[],
): void {
  const elements = Object.keys(set).filter((element) => element !== SELF);
  for (const element of elements) if (isMember(set[element]!)) paths.push([...prefix, element]);
  for (const element of elements) collect(set[element]!, [...prefix, element], paths);
}

interface MutableNode {
  isMember: boolean;
  readonly below: Map<PathElement, MutableNode>;
}

const emptyNode = (): MutableNode => ({ isMember: false, below: new Map() });

/** A set while it is being made, in any order. */
export class FieldSetBuilder {
  readonly #root = emptyNode();

  /** Makes the field at `path` a member; the empty path, the object itself, is nobody's. */
  insert(path: readonly PathElement[]): void {
    let node = this.#root;
    for (const element of path) {
      let next = node.below.get(element);
      if (!next) node.below.set(element, (next = emptyNode()));
      node = next;
    }
    node.isMember = true;
  }

  get isEmpty(): boolean {
    return this.#root.below.size === 0;
  }

  build(): FieldSet {
    return this.isEmpty ? EMPTY_SET : built(this.#root, true);
  }
}

function built(node: MutableNode, isRoot = false): FieldSet {
  const elements = inElementOrder([...node.below.keys()]);
  if (elements.length === 0) return LEAF;
  const nodes: Nodes = node.isMember && !isRoot ? { [SELF]: LEAF } : {};
  for (const element of elements) nodes[element] = built(node.below.get(element)!);
  return nodes;
}

/** A set of the given paths. */
export function fieldSetOf(...paths: readonly (readonly PathElement[])[]): FieldSet {
  const builder = new FieldSetBuilder();
  for (const path of paths) builder.insert(path);
  return builder.build();
}

/** Documents known to be sets in canonical form. */
const known = new WeakSet<object>();
/** How deep a client's FieldsV1 may nest; values are at most 100 deep, and a path is as deep as its value. */
const DEPTH_MAX = 128;

/**
 * A FieldsV1 document as a set: itself when it is in canonical form, else a copy that is.
 *
 * @returns `undefined`: it is no set of fields. Elements of unknown forms are left out.
 */
export function readFieldSet(document: unknown): FieldSet | undefined {
  if (document === undefined || document === null) return EMPTY_SET;
  if (!isRecord(document)) return undefined;
  if (known.has(document)) return document as unknown as FieldSet;
  const set = isCanonical(document, 0) ? (document as unknown as FieldSet) : rebuilt(document);
  if (set) known.add(set);
  return set;
}

function rebuilt(document: Readonly<Record<string, unknown>>): FieldSet | undefined {
  const root = emptyNode();
  return readBelow(document, root, 0) ? built(root, true) : undefined;
}

function readBelow(document: Readonly<Record<string, unknown>>, into: MutableNode, depth: number) {
  if (depth > DEPTH_MAX) return false;
  for (const element of Object.keys(document)) {
    const value = document[element] ?? {};
    if (element === SELF) into.isMember = true;
    else if (element.length < 2 || element[1] !== ":") return false;
    else if (isKnownElement(element)) {
      if (!isRecord(value) || !isReadableElement(element)) return false;
      const node = emptyNode();
      if (!readBelow(value, node, depth + 1)) return false;
      if (node.below.size === 0) node.isMember = true;
      into.below.set(element, node);
    }
  }
  return true;
}

function isCanonical(document: Readonly<Record<string, unknown>>, depth: number): boolean {
  if (depth > DEPTH_MAX) return false;
  let last: string | undefined;
  const elements = Object.keys(document);
  if (elements.length === 1 && elements[0] === SELF) return false;
  for (const [index, element] of elements.entries()) {
    const value = document[element];
    if (!isRecord(value)) return false;
    if (element === SELF) {
      if (index > 0 || depth === 0) return false;
      continue;
    }
    if (!isKnownElement(element) || !isReadableElement(element)) return false;
    if (!isCanonical(value, depth + 1)) return false;
    if (last !== undefined && comparePathElements(last, element) >= 0) return false;
    last = element;
  }
  return true;
}
