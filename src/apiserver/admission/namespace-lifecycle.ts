import { Namespace } from "../../api/core/namespace.ts";
import { StatusError } from "../../api/machinery/status-error.ts";
import type { CacheReader } from "../../client/cache.ts";
import { forbidden, notFound } from "../../api/machinery/status-errors.ts";
import type { AdmissionCall } from "../request.ts";
import type { AdmissionPlugin } from "./admission.ts";
import { refuse } from "./refusal.ts";

/** Without these the cluster does not work. */
const IMMORTAL = new Set(["default", "kube-system", "kube-public"]);

/**
 * Nothing comes into a namespace that is not there or is going; three namespaces cannot go.
 *
 * @spec k8s@1.36 apiserver pkg/admission/plugin/namespace/lifecycle
 */
export class NamespaceLifecycle implements AdmissionPlugin {
  readonly name = "NamespaceLifecycle";
  readonly #cache: CacheReader;

  constructor(cache: CacheReader) {
    this.#cache = cache;
  }

  handles({ operation, info }: AdmissionCall): boolean {
    const isNamespace = info.plural === "namespaces" && info.group === "";
    if (operation === "DELETE") return isNamespace;
    // A question about rights in a namespace must not tell whether it is there.
    const isReview = info.plural === "localsubjectaccessreviews";
    return operation !== "CONNECT" && info.namespace !== "" && !isNamespace && !isReview;
  }

  admit(call: AdmissionCall): undefined {
    if (call.operation !== "DELETE") this.#checkNamespace(call);
  }

  validate(call: AdmissionCall): void {
    if (call.operation !== "DELETE") return this.#checkNamespace(call);
    if (IMMORTAL.has(call.info.name))
      throw forbidden(Namespace, call.info.name, "this namespace may not be deleted");
  }

  #checkNamespace(call: AdmissionCall): void {
    const name = call.info.namespace;
    const namespace = this.#cache.get(Namespace, { namespace: "", name });
    if (!namespace) throw notFound(Namespace, name);
    const isGoing =
      namespace.status?.phase === "Terminating" || namespace.metadata?.deletionTimestamp;
    if (call.operation === "CREATE" && isGoing) throw terminating(call, name);
  }
}

/** Controllers look for the cause to tell this refusal from others. */
function terminating(call: AdmissionCall, name: string): StatusError {
  const { status } = refuse(
    call,
    `unable to create new content in namespace ${name} because it is being terminated`,
  );
  const cause = {
    reason: "NamespaceTerminating",
    message: `namespace ${name} is being terminated`,
    field: "metadata.namespace",
  };
  return new StatusError({ ...status, details: { ...status.details, causes: [cause] } });
}
