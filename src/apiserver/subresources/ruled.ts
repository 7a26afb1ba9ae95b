import { approvalRules } from "../../api/certificates/approval.ts";
import { ephemeralContainerRules, resizeRules } from "../../api/core/pod-subresources.ts";
import type { KubeObject } from "../../api/machinery/object.ts";
import type { V1Namespace } from "../../gen/types.ts";
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
  group = "",
): SubresourceHandler {
  return {
    group,
    plural,
    subresource,
    methods,
    kind: { group, version: "v1", kind },
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
  ephemeralContainerRules as unknown as ChangeRules,
);

/** `pods/resize`: changes what a Pod's containers get while they run. @spec pkg/registry/core/pod/strategy.go */
export const podResize = ruled(
  "pods",
  "resize",
  "Pod",
  ["GET", "PUT", "PATCH"],
  resizeRules as unknown as ChangeRules,
);

/** `certificatesigningrequests/approval`: says yes or no. @spec pkg/registry/certificates/certificates/strategy.go */
export const requestApproval = ruled(
  "certificatesigningrequests",
  "approval",
  "CertificateSigningRequest",
  ["GET", "PUT", "PATCH"],
  approvalRules as unknown as ChangeRules,
  "certificates.k8s.io",
);
