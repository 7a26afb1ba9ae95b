import type { Kind } from "../machinery/kind.ts";
import type { KubeObject } from "../machinery/object.ts";
import { sameForm, type OlderVersion } from "../machinery/older-version.ts";

type Spec = Readonly<Record<string, unknown>>;

/** `v1beta1` of the reviews that name a subject: its groups were called `group`. */
export function olderAccessReview<T extends KubeObject>(hub: Kind): OlderVersion<T> {
  return {
    ...sameForm(hub, "v1beta1", "1.19", "1.22"),
    toHub: (object) =>
      withSpec(object, ({ group, ...spec }) => withGroups(spec, "groups", group)) as T,
    fromHub: (object) =>
      withSpec(object, ({ groups, ...spec }) => withGroups(spec, "group", groups)),
  };
}

function withGroups(spec: Spec, field: string, groups: unknown): Spec {
  return groups === undefined ? spec : { ...spec, [field]: groups };
}

function withSpec(object: KubeObject, change: (spec: Spec) => Spec): KubeObject {
  const { spec } = object as { readonly spec?: Spec };
  return spec ? ({ ...object, spec: change(spec) } as KubeObject) : object;
}
