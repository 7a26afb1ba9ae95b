import type { RequestFacts } from "../machinery/resource.ts";
import type { FieldError } from "../machinery/field-error.ts";
import { withField } from "../strategy/strategy.ts";
import { validateRequestChange } from "./certificate-signing-request-validation.ts";
import type { CertificateSigningRequest } from "./certificate-signing-request.ts";
import { withApproval } from "./conditions.ts";

/** How `certificatesigningrequests/approval` changes a request. @spec strategy.go csrApprovalStrategy */
export const approvalRules = {
  prepareForUpdate(
    request: CertificateSigningRequest,
    old: CertificateSigningRequest,
    { now }: RequestFacts,
  ): CertificateSigningRequest {
    const status = withApproval(request.status ?? {}, old.status ?? {}, now);
    return { ...withField(request, "spec", old.spec), status };
  },
  validateUpdate: (
    request: CertificateSigningRequest,
    old: CertificateSigningRequest,
  ): readonly FieldError[] => validateRequestChange(request, old, "approval"),
};
