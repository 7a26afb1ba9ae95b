import type { KubeObject } from "../machinery/object.ts";
import type { FieldError } from "../machinery/field-error.ts";
import type { RequestFacts, Strategy, Subresources } from "../machinery/resource.ts";
import { equalSemantic } from "../machinery/equality.ts";

/** What one kind adds to the rules that its family shares. All parts are optional. */
export interface StrategyRules<T extends KubeObject> {
  readonly withDefaults?: (object: T) => T;
  /** Runs after status and generation have been dealt with. */
  readonly prepareForCreate?: (object: T, facts: RequestFacts) => T;
  /** Runs after status and before generation: what it keeps from `old` does not raise the generation. */
  readonly prepareForUpdate?: (object: T, old: T, facts: RequestFacts) => T;
  readonly validate?: (object: T) => readonly FieldError[];
  /** What only a new object must satisfy besides. */
  readonly validateNew?: (object: T) => readonly FieldError[];
  /** What an update adds to `validate`: fields that may not change. */
  readonly validateChange?: (object: T, old: T) => readonly FieldError[];
  readonly warnings?: (object: T, old: T | undefined) => readonly string[];
  readonly graceSeconds?: (object: T, requested: number | undefined) => number | undefined;
  readonly validateName?: (name: string, isPrefix: boolean) => readonly string[];
  readonly allowsCreateOnUpdate?: boolean;
  readonly allowsUnconditionalUpdate?: boolean;
}

/** An object with the two halves that most kinds have. */
interface SpecAndStatus extends KubeObject {
  readonly spec?: unknown;
  readonly status?: unknown;
}

/** Strategy of a kind whose objects have neither status nor generation: ConfigMap, Role, Lease, … */
export function plainStrategy<T extends KubeObject>(rules: StrategyRules<T> = {}): Strategy<T> {
  const withDefaults = rules.withDefaults ?? ((object: T): T => object);
  const validate = rules.validate ?? ((): readonly FieldError[] => []);
  return {
    withDefaults,
    prepareForCreate: rules.prepareForCreate ?? ((object) => object),
    prepareForUpdate: rules.prepareForUpdate ?? ((object) => object),
    validate: rules.validateNew
      ? (object) => [...validate(object), ...rules.validateNew!(object)]
      : validate,
    validateUpdate: (object, old) => [
      ...validate(object),
      ...(rules.validateChange?.(object, old) ?? []),
    ],
    ...(rules.warnings && { warnings: rules.warnings }),
    ...(rules.graceSeconds && { graceSeconds: rules.graceSeconds }),
    ...(rules.validateName && { validateName: rules.validateName }),
    ...(rules.allowsCreateOnUpdate !== undefined && {
      allowsCreateOnUpdate: rules.allowsCreateOnUpdate,
    }),
    ...(rules.allowsUnconditionalUpdate !== undefined && {
      allowsUnconditionalUpdate: rules.allowsUnconditionalUpdate,
    }),
  };
}

/** What a status family needs beyond the rules. */
export interface StatusFamily {
  /** Status of a new object; `undefined` leaves the client's (nodes register with theirs). */
  readonly initialStatus?: object;
  readonly countsGenerations: boolean;
  /** Whether annotations raise the generation too, as those of Deployments do. */
  readonly countsAnnotations?: boolean;
}

/**
 * Strategy of a kind with `spec` and `status`: the main endpoint never changes status.
 *
 * @spec k8s@1.36 pkg/registry/…/strategy.go PrepareForCreate, PrepareForUpdate
 */
export function statusStrategy<T extends SpecAndStatus>(
  family: StatusFamily,
  rules: StrategyRules<T> = {},
): Strategy<T> {
  return plainStrategy<T>({
    ...rules,
    prepareForCreate: (object, facts) => {
      const fresh = family.initialStatus ? { ...object, status: family.initialStatus } : object;
      const counted = family.countsGenerations ? withGeneration(fresh, 1) : fresh;
      return rules.prepareForCreate?.(counted, facts) ?? counted;
    },
    prepareForUpdate: (object, old, facts) => {
      const kept = withField(object, "status", old.status);
      const prepared = rules.prepareForUpdate?.(kept, old, facts) ?? kept;
      return family.countsGenerations ? countedUp(prepared, old, family) : prepared;
    },
  });
}

/** Keeps everything but the status of the stored object. Labels and annotations stay as the request has them. */
export function statusSubresource<T extends SpecAndStatus>(
  validateUpdate: (object: T, old: T) => readonly FieldError[] = () => [],
  prepare: (object: T, old: T) => T = (object) => object,
): NonNullable<Subresources<T>["status"]> {
  return {
    prepareForUpdate: (object, old) =>
      withGeneration(prepare(withField(object, "spec", old.spec), old), old.metadata?.generation),
    validateUpdate,
  };
}

/** The object with `metadata.generation` one higher than the stored one's if the spec changed. */
function countedUp<T extends SpecAndStatus>(object: T, old: T, family: StatusFamily): T {
  const stored = old.metadata?.generation ?? 0;
  const isSame =
    equalSemantic(object.spec, old.spec) &&
    (!family.countsAnnotations ||
      equalSemantic(object.metadata?.annotations, old.metadata?.annotations));
  return withGeneration(object, isSame ? stored : stored + 1);
}

/** The object with another `metadata.generation`; `undefined` or 0 removes it. */
export function withGeneration<T extends KubeObject>(object: T, generation: number | undefined): T {
  const { metadata = {} } = object;
  if ((metadata.generation ?? 0) === (generation ?? 0)) return object;
  // A new field costs less before a spread than behind it.
  return {
    ...object,
    metadata:
      "generation" in metadata
        ? withField(metadata, "generation", generation || undefined)
        : { generation: generation!, ...metadata },
  };
}

/** A copy with one field set, or without it when `value` is `undefined`; the object itself when nothing changes. */
export function withField<T extends object, K extends keyof T>(
  object: T,
  field: K,
  value: T[K] | undefined,
): T {
  if (object[field] === value && (value !== undefined || !(field in object))) return object;
  const copy = { ...object };
  if (value === undefined) delete copy[field];
  else copy[field] = value;
  return copy;
}

/** A copy with those fields filled in that are absent or "" (Go's zero string); the object itself when none is. */
export function fill<T extends object>(object: T, defaults: Partial<T>): T {
  let copy: T | undefined;
  for (const field of Object.keys(defaults) as (keyof T)[]) {
    const present = object[field];
    if ((present === undefined || present === "") && defaults[field] !== present)
      (copy ??= { ...object })[field] = defaults[field] as T[keyof T];
  }
  return copy ?? object;
}

/** A copy with one field mapped when it is there; the object itself when that changes nothing. */
export function mapField<T extends object, K extends keyof T>(
  object: T,
  field: K,
  change: (value: NonNullable<T[K]>) => T[K],
): T {
  const value = object[field];
  return value === undefined || value === null
    ? object
    : withField(object, field, change(value as NonNullable<T[K]>));
}

/** Like `map`, but the array itself when no element changes. */
export function mapItems<E>(
  items: readonly E[],
  change: (item: E, index: number) => E,
): readonly E[] {
  const changed = items.map(change);
  return changed.every((item, index) => item === items[index]) ? items : changed;
}
