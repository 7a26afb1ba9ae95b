import type { KubeObject } from "../../api/machinery/object.ts";
import type { Resource } from "../../api/machinery/resource.ts";
import { compileFieldSelector, type FieldSelector } from "../../api/machinery/field-selector.ts";
import type { LabelSelector } from "../../api/machinery/label-selector.ts";
import { createPredicate, type Predicate } from "./predicate.ts";

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
  if (!first || !second) return createPredicate(space, name, id, first);
  return createPredicate(space, name, id, (object) => first(object) && second(object));
}

/** The fields of a selector are those of the face that the client sees. */
function fieldTest(resource: Resource, fields: FieldSelector): Test {
  const matches = compileFieldSelector(fields, resource);
  const { storedAs } = resource;
  return storedAs ? (stored) => matches(storedAs.fromStored(stored)) : matches;
}
