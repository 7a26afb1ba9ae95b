import { quoteGo } from "../go-format.ts";
import { isRecord } from "../json-value.ts";
import type { ListAtom } from "./apply-type.ts";
import { keyElement, valueElement, type PathElement } from "./path-element.ts";

/** Why an item of a list has no place in it; the message is upstream's. */
export class NoPlace extends Error {}

/**
 * The path element of an item of a list that merges by item.
 *
 * @throws {NoPlace} the item lacks all keys, or is of a form that cannot stand in such a list.
 * @spec structured-merge-diff v6 typed/helpers.go listItemToPathElement
 */
export function itemElement(list: ListAtom, item: unknown): PathElement {
  return list.relation === "map" ? keyedElement(list, item) : setElement(item);
}

function keyedElement(list: ListAtom, item: unknown): PathElement {
  if (item === null) throw new NoPlace("associative list with keys may not have a null element");
  if (!isRecord(item))
    throw new NoPlace("associative list with keys may not have non-map elements");
  const pairs: [string, unknown][] = [];
  for (const key of list.keys) {
    const value = Object.hasOwn(item, key.name) ? item[key.name] : key.default;
    if (value !== undefined) pairs.push([key.name, value]);
  }
  if (pairs.length > 0) return keyElement(pairs);
  const names = `[${list.keys.map(({ name }) => quoteGo(name)).join(" ")}]`;
  throw new NoPlace(
    `associative list with keys has an element that omits all key fields ${names} ` +
      "(and doesn't have default values for any key fields)",
  );
}

function setElement(item: unknown): PathElement {
  if (isRecord(item))
    throw new NoPlace("associative list without keys has an element that's a map type");
  if (Array.isArray(item))
    throw new NoPlace("not supported: associative list with lists as elements");
  if (item === null)
    throw new NoPlace("associative list without keys has an element that's an explicit null");
  return valueElement(item);
}
