import type { KubeObject } from "../../api/machinery/object.ts";
import type { Resource } from "../../api/machinery/resource.ts";
import { compileFieldSelector, type FieldSelector } from "../../api/machinery/field-selector.ts";
import type { LabelSelector } from "../../api/machinery/label-selector.ts";
import { createPredicate, type Predicate } from "./predicate.ts";
import type { Trigger } from "./resource-watchers.ts";

/** What a list or watch selects; namespace "": all. */
export interface Selection {
  readonly namespace: string;
  readonly labelSelector: LabelSelector;
  readonly fieldSelector: FieldSelector;
}

type Test = (object: KubeObject) => boolean;

/**
 * The predicate of a selection. A field selector of one name narrows the range instead of testing each object.
 *
 * @throws {StatusError} BadRequest: the field selector names an unknown field.
 */
export function predicateOf(resource: Resource, selection: Selection): Predicate {
  const { namespace, labelSelector, fieldSelector } = selection;
  if (labelSelector.isEverything && fieldSelector.isEverything)
    return createPredicate(namespace, "", "");
  const tests: Test[] = [];
  const labels = labelSelector;
  if (!labels.isEverything) tests.push((object) => labels.matches(object.metadata?.labels));
  const fields = fieldSelector;
  const space = namespace || (fields.exactValue("metadata.namespace") ?? "");
  const isPlaced = space !== "" || !resource.kind.isNamespaced;
  const name = isPlaced ? (fields.exactValue("metadata.name") ?? "") : "";
  if (!fields.isEverything) tests.push(fieldTest(resource, fields));
  const id = `${labels.text}\n${fields.text}`;
  const [first, second] = tests;
  const trigger = triggerOf(resource, fields);
  if (!first || !second) return createPredicate(space, name, id, first, trigger);
  return createPredicate(space, name, id, (object) => first(object) && second(object), trigger);
}

/** A field of its own that must have one value: Pods by node, Events by object. */
function triggerOf(resource: Resource, { terms }: FieldSelector): Trigger | undefined {
  const { selectableFields = {}, storedAs } = resource;
  if (storedAs) return undefined;
  const term = terms.find(
    ({ field, isEqual }) => isEqual && Object.hasOwn(selectableFields, field),
  );
  return term && { field: term.field, value: term.value, read: selectableFields[term.field]! };
}

/** The fields of a selector are those of the face that the client sees. */
function fieldTest(resource: Resource, fields: FieldSelector): Test {
  const matches = compileFieldSelector(fields, resource);
  const { storedAs } = resource;
  return storedAs ? (stored) => matches(storedAs.fromStored(stored)) : matches;
}
