import { duplicate, required } from "../machinery/field-error.ts";
import type { KubeObject } from "../machinery/object.ts";
import { each, type Errors } from "../strategy/checks.ts";
import { statusSubresource, withField } from "../strategy/strategy.ts";

/** An object whose status is its conditions. */
export interface Conditioned extends KubeObject {
  readonly spec?: unknown;
  readonly status?: { readonly conditions?: readonly { readonly type?: string }[] };
}

/** The status endpoint of both kinds: it changes conditions and who manages them, nothing else. */
export function conditionsStatus<T extends Conditioned>(): ReturnType<typeof statusSubresource<T>> {
  return statusSubresource<T>(validateConditions, (object, old) => {
    const managedFields = object.metadata?.managedFields;
    return { ...object, metadata: withField({ ...old.metadata }, "managedFields", managedFields) };
  });
}

/** @spec k8s@1.36 pkg/apis/flowcontrol/validation ValidateFlowSchemaStatus, ValidatePriorityLevelConfigurationStatus */
export function validateConditions({ status }: Conditioned): Errors {
  const seen = new Set<string>();
  return each(status?.conditions, "status.conditions", ({ type = "" }, path) => {
    const isKnown = seen.has(type);
    seen.add(type);
    return [
      ...(isKnown ? [duplicate(`${path}.type`, type)] : []),
      ...(type === "" ? [required(`${path}.type`, "must not be empty")] : []),
    ];
  });
}
