import type { Atom } from "./apply-type.ts";
import { fieldSetOf, type FieldSet } from "./field-set.ts";

/** What the rules need to know of the endpoint that a request came to. */
export interface ManagedScope {
  /** `apps/v1`: of the request, and of the objects given. */
  readonly apiVersion: string;
  readonly type: Atom;
  /** "" for the object itself. */
  readonly subresource: string;
  /** Fields that the endpoint does not let a client change; nobody owns them by it, nor anything below them. */
  readonly reset: FieldSet;
  /** The object in another version that a manager used; `undefined`: no longer served. */
  convert(object: object, apiVersion: string): TypedObject | undefined;
}

export interface TypedObject {
  readonly type: Atom;
  readonly object: object;
}

/** Fields that nobody owns. @spec k8s@1.36 managedfields/internal/stripmeta.go */
export const STRIPPED: FieldSet = fieldSetOf(
  ["f:apiVersion"],
  ["f:kind"],
  ["f:metadata"],
  ...[
    "name",
    "namespace",
    "creationTimestamp",
    "selfLink",
    "uid",
    "clusterName",
    "generation",
    "managedFields",
    "resourceVersion",
  ].map((name) => ["f:metadata", `f:${name}`]),
);
