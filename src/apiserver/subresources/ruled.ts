import type { FieldError } from "../../api/machinery/field-error.ts";
import { forbidden } from "../../api/machinery/field-error.ts";
import { equalJson } from "../../api/machinery/equality.ts";
import type { KubeObject } from "../../api/machinery/object.ts";
import type { V1Namespace, V1Pod } from "../../gen/types.ts";
import { getEndpoint } from "../endpoints/read.ts";
import { patchEndpoint, updateEndpoint } from "../endpoints/write.ts";
import type { ChangeRules } from "../verbs/update.ts";
import type { SubresourceHandler } from "./subresource.ts";

/** A subresource that shows its object and changes a part of it by rules of its own. */
function ruled(
  plural: string,
  subresource: string,
  kind: string,
  methods: readonly string[],
  rules: ChangeRules,
): SubresourceHandler {
  return {
    group: "",
    plural,
    subresource,
    methods,
    kind: { group: "", version: "v1", kind },
    rules,
    async handle(parts, call, request) {
      if (request.method === "PUT") return updateEndpoint(parts, call, request, rules);
      if (request.method === "PATCH") return patchEndpoint(parts, call, request, rules);
      return getEndpoint(parts, call, request);
    },
  };
}

/** `namespaces/finalize`: the only way to change `spec.finalizers`. @spec pkg/registry/core/namespace/strategy.go */
export const namespaceFinalize = ruled("namespaces", "finalize", "Namespace", ["PUT"], {
  prepareForUpdate: (object, old) =>
    ({ ...object, status: (old as V1Namespace).status }) as KubeObject,
  validateUpdate: () => [],
});

/** `pods/ephemeralcontainers`: adds containers to a Pod that runs. @spec pkg/registry/core/pod/strategy.go */
export const podEphemeralContainers = ruled(
  "pods",
  "ephemeralcontainers",
  "Pod",
  ["GET", "PUT", "PATCH"],
  {
    prepareForUpdate: (object, old) => {
      const before = old as V1Pod;
      const { ephemeralContainers } = (object as V1Pod).spec ?? {};
      const spec = { ...before.spec!, ...(ephemeralContainers && { ephemeralContainers }) };
      return { ...before, metadata: object.metadata, spec } as KubeObject;
    },
    validateUpdate: ephemeralErrors,
  },
);

/** Ephemeral containers are only ever added. @spec validation.go ValidatePodEphemeralContainersUpdate */
function ephemeralErrors(object: KubeObject, old: KubeObject): FieldError[] {
  const now = (object as V1Pod).spec?.ephemeralContainers ?? [];
  const field = "spec.ephemeralContainers";
  return ((old as V1Pod).spec?.ephemeralContainers ?? []).flatMap((before) => {
    const same = now.find(({ name }) => name === before.name);
    const subject = `existing ephemeral containers ${JSON.stringify(before.name)}`;
    if (!same) return [forbidden(field, `${subject} may not be removed\n`)];
    return equalJson(same, before) ? [] : [forbidden(field, `${subject} may not be changed\n`)];
  });
}
