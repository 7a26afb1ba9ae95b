import type { Kind } from "../../src/api/machinery/kind.ts";
import type { KubeObject } from "../../src/api/machinery/object.ts";
import type { Resource } from "../../src/api/machinery/resource.ts";
import type { StatusError } from "../../src/api/machinery/status-error.ts";
import type { AdmissionPlugin } from "../../src/apiserver/admission/admission.ts";
import type { AdmissionCall, RequestInfo, UserInfo } from "../../src/apiserver/request.ts";

/** What a test says about a call; the rest follows from the object. */
export interface CallOptions {
  readonly kind: Kind;
  readonly object?: KubeObject;
  readonly old?: KubeObject;
  readonly user?: UserInfo;
  readonly subresource?: string;
  /** Default: by which of object and old there are. */
  readonly operation?: AdmissionCall["operation"];
  readonly name?: string;
  readonly namespace?: string;
}

const VERBS = { CREATE: "create", UPDATE: "update", DELETE: "delete", CONNECT: "create" } as const;

/** A call as admission plugins see it. `warnings` collects what they warn of. */
export function admissionCall(
  options: CallOptions,
): AdmissionCall & { readonly warnings: string[] } {
  const { kind, object, old, subresource = "" } = options;
  const operation = options.operation ?? (!object ? "DELETE" : old ? "UPDATE" : "CREATE");
  const { metadata } = object ?? old ?? {};
  const warnings: string[] = [];
  const info: RequestInfo = {
    isResource: true,
    verb: VERBS[operation],
    path: "",
    group: kind.group,
    version: kind.version,
    plural: kind.plural,
    subresource,
    namespace: options.namespace ?? metadata?.namespace ?? "",
    // As upstream: a POST to a collection has no name in its path.
    name: options.name ?? (operation === "CREATE" ? "" : (metadata?.name ?? "")),
    tail: "",
  };
  return {
    info,
    kind,
    version: kind.version,
    operation,
    warnings,
    resource: { kind } as Resource,
    user: options.user ?? { name: "jane", groups: ["system:authenticated"] },
    isDryRun: false,
    warn: (text) => void warnings.push(text),
    signal: new AbortController().signal,
    ...(object ? { object } : {}),
    ...(old ? { old } : {}),
  };
}

/** The object as the plugin lets it through, or the words of its refusal. */
export function admitted(
  plugin: AdmissionPlugin,
  options: CallOptions,
): KubeObject | string | undefined {
  const call = admissionCall(options);
  if (!plugin.handles(call)) return call.object;
  try {
    const object = (call.object && plugin.admit?.(call)) ?? call.object;
    plugin.validate?.(object ? { ...call, object } : call);
    return object;
  } catch (error) {
    return (error as StatusError).message;
  }
}
