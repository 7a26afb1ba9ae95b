import { apiVersionOf, type Kind } from "./kind.ts";
import type { KubeObject } from "./object.ts";

/**
 * An apiVersion of a kind that upstream no longer serves, and we still do: another form of the same objects.
 *
 * The kind's own row is the hub. What comes in is fitted to the older type and turned into the hub's form before anything else
 * sees it; what goes out is turned back. `kind` and `apiVersion` are set by whoever converts.
 */
export interface OlderVersion<T extends KubeObject = KubeObject> {
  readonly group: string;
  readonly version: string;
  /** Absent: as good as the hub's own. */
  readonly lifecycle?: Lifecycle;
  /** With the defaults of this version, where they are not the hub's. Default: the fields are the same. */
  toHub?(object: KubeObject): T;
  fromHub?(object: T): KubeObject;
}

/** In which releases of Kubernetes something was deprecated and removed, and what is used instead. */
export interface Lifecycle {
  /** `1.8` */
  readonly deprecated: string;
  readonly removed?: string;
  readonly replacement?: NamedKind;
}

/** A kind as far as messages name it. */
export type NamedKind = Pick<Kind, "group" | "version" | "kind">;

/** An older version with the same fields as `kind`, which replaced it. */
export function sameForm(
  kind: NamedKind,
  version: string,
  deprecated: string,
  removed: string,
  group = kind.group,
): { group: string; version: string; lifecycle: Lifecycle } {
  return { group, version, lifecycle: { deprecated, removed, replacement: kind } };
}

/**
 * The `Warning` of every answer about a deprecated kind. Clients and their users look for this text.
 *
 * @spec k8s@1.36 apiserver endpoints/deprecation WarningMessage
 */
export function deprecationWarning(
  kind: NamedKind,
  { deprecated, removed, replacement }: Lifecycle,
): string {
  const gone = removed === undefined ? "" : `, unavailable in v${removed}+`;
  const next = replacement && `; use ${apiVersionOf(replacement)} ${replacement.kind}`;
  return `${apiVersionOf(kind)} ${kind.kind} is deprecated in v${deprecated}+${gone}${next ?? ""}`;
}
