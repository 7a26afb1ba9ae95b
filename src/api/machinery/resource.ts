import type { Instant } from "../../base/clock.ts";
import type { FieldError } from "./field-error.ts";
import type { Kind } from "./kind.ts";
import type { KubeObject } from "./object.ts";
import type { Lifecycle, OlderVersion } from "./older-version.ts";
import type { SharedField } from "./shared-field.ts";

/**
 * Everything the API server must know of one served resource: one row of the catalog.
 *
 * All functions are pure and total: they take a decoded object of the right shape (see `conform`) and never throw for
 * input. They return new objects that may share structure with their arguments, and never change an argument.
 */
export interface Resource<T extends KubeObject = KubeObject> {
  readonly kind: Kind<T>;
  readonly singular: string;
  readonly shortNames?: readonly string[];
  /** `all` makes `kubectl get all` show it. */
  readonly categories?: readonly string[];
  /** Empty means: all of get, list, watch, create, update, patch, delete, deletecollection. */
  readonly verbs?: readonly Verb[];
  readonly strategy: Strategy<T>;
  /** `status`, and `scale` where the kind has it; others (`binding`, `eviction`, `log`, `token` …) live in the API server. */
  readonly subresources?: Subresources<T>;
  readonly columns: readonly Column<T>[];
  /** The order of a table's rows, where it is not that of the keys. For kinds of which there are few. */
  readonly compareRows?: (a: T, b: T) => number;
  /** Field selectors beyond `metadata.name` and `metadata.namespace`: path → value. @spec upstream's ToSelectableFields */
  readonly selectableFields?: Readonly<Record<string, (object: T) => string>>;
  /** For kinds whose objects come in numbers from templates: the field that equal ones share. */
  readonly sharedField?: SharedField;
  /** Set for a second face of objects that another kind stores: they are kept, watched and counted once, as that kind. */
  readonly storedAs?: StoredAs<T>;
  /** Older apiVersions under which the same objects are served, newest first. */
  readonly olderVersions?: readonly OlderVersion<T>[];
  /** Set for a kind that is itself deprecated: every answer about it says so. */
  readonly lifecycle?: Lifecycle;
}

/**
 * How one served kind is a face of another that is stored, as `events.k8s.io` Events are of core ones.
 *
 * The server applies this row's strategy to objects of this row, then encodes; it decodes what it reads before it answers.
 */
export interface StoredAs<T extends KubeObject> {
  readonly kind: Kind;
  toStored(object: T): KubeObject;
  fromStored(stored: KubeObject): T;
}

export type Verb =
  "get" | "list" | "watch" | "create" | "update" | "patch" | "delete" | "deletecollection";

/** What a strategy may know besides the objects. */
export interface RequestFacts {
  readonly now: Instant;
  readonly user: string;
  /** Of a new object: what its uid will be. */
  readonly uid?: string;
  /** What else is known of who asks. */
  readonly identity?: {
    readonly uid?: string;
    readonly groups: readonly string[];
    readonly extra?: Readonly<Record<string, readonly string[]>>;
  };
}

/** @spec k8s@1.36 apiserver registry/rest create.go, update.go */
export interface Strategy<T extends KubeObject> {
  /** Fills in defaults; idempotent. Called on every decode and before every validation. */
  withDefaults(object: T): T;
  /** Drops what a client may not set on create (status), sets generation 1 where the kind has one. */
  prepareForCreate(object: T, facts: RequestFacts): T;
  /** Keeps what a client may not change through this endpoint (status), raises generation when the spec changed. */
  prepareForUpdate(object: T, old: T, facts: RequestFacts): T;
  validate(object: T): readonly FieldError[];
  /** Everything an update must satisfy: `validate` of the new object included, as upstream's ValidateUpdate. */
  validateUpdate(object: T, old: T): readonly FieldError[];
  /** `Warning` headers of a create or update. */
  warnings?(object: T, old: T | undefined): readonly string[];
  /** A PUT on a name that does not exist creates it. Default false. */
  readonly allowsCreateOnUpdate?: boolean;
  /** A PUT without resourceVersion overwrites. Default true; upstream's AllowUnconditionalUpdate. */
  readonly allowsUnconditionalUpdate?: boolean;
  /** Default of deletion grace in seconds (pods: from the spec); `undefined`: deleted at once. */
  graceSeconds?(object: T, requested: number | undefined): number | undefined;
  /** Upstream's name rule for `metadata.name`; returns upstream's messages. Default: DNS subdomain. */
  validateName?(name: string, isPrefix: boolean): readonly string[];
}

export interface Subresources<T extends KubeObject> {
  readonly status?: {
    prepareForUpdate(object: T, old: T, facts: RequestFacts): T;
    validateUpdate(object: T, old: T): readonly FieldError[];
  };
  readonly scale?: {
    replicas(object: T): number;
    statusReplicas(object: T): number;
    /** The selector in query form. */
    selector(object: T): string;
    withReplicas(object: T, replicas: number): T;
  };
}

/** One column of `kubectl get`. @spec k8s@1.36 pkg/printers/internalversion/printers.go */
export interface Column<T extends KubeObject> {
  readonly name: string;
  readonly type: "string" | "integer" | "date" | "boolean" | "number";
  readonly format?: string;
  readonly description: string;
  /** 0: always shown; 1: with `-o wide`. */
  readonly priority: number;
  cell(object: T, now: Instant): string | number | boolean;
}
