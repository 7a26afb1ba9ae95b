import { badRequest } from "../../api/machinery/status-errors.ts";
import type { KubeObject } from "../../api/machinery/object.ts";
import type { Resource } from "../../api/machinery/resource.ts";
import { parseFieldSelector, parseLabelSelector } from "../../api/machinery/selectors.ts";
import { createPredicate, type Predicate } from "./predicate.ts";

/** What a list or watch selects, as text. */
export interface Selection {
  readonly namespace: string;
  readonly labelSelector: string;
  readonly fieldSelector: string;
}

type Test = (object: KubeObject) => boolean;

const NO_LABELS = {};

/**
 * The predicate of a selection. A field selector of one name narrows the range instead of testing each object.
 *
 * @throws {StatusError} BadRequest: a selector is malformed or names an unknown field.
 */
export function predicateOf(resource: Resource, selection: Selection): Predicate {
  const { namespace, labelSelector, fieldSelector } = selection;
  const tests: Test[] = [];
  let name = "";
  if (labelSelector !== "") {
    const matches = parseLabelSelector(labelSelector);
    tests.push((object) => matches(object.metadata?.labels ?? NO_LABELS));
  }
  let space = namespace;
  if (fieldSelector !== "")
    for (const { field, value, isNegated } of parseFieldSelector(fieldSelector)) {
      if (field === "metadata.namespace" && !isNegated && space === "") space = value;
      const isExactName = field === "metadata.name" && !isNegated && name === "";
      if (isExactName && (space !== "" || !resource.kind.isNamespaced)) name = value;
      else tests.push(fieldTest(resource, field, value, isNegated));
    }
  const id = `${labelSelector}\n${fieldSelector}`;
  if (tests.length === 0) return createPredicate(space, name, id);
  const [only] = tests;
  const all: Test = (object) => tests.every((test) => test(object));
  return createPredicate(space, name, id, tests.length === 1 ? only : all);
}

function fieldTest(resource: Resource, field: string, value: string, isNegated: boolean): Test {
  const read = fieldReader(resource, field);
  return isNegated ? (object) => read(object) !== value : (object) => read(object) === value;
}

function fieldReader(resource: Resource, field: string): (object: KubeObject) => string {
  if (field === "metadata.name") return (object) => object.metadata?.name ?? "";
  if (field === "metadata.namespace") return (object) => object.metadata?.namespace ?? "";
  const read = resource.selectableFields?.[field];
  if (read) return read;
  throw badRequest(
    `Unable to find "${resource.kind.plural}" that match label selector "", field selector: field label not supported: ${field}`,
  );
}
