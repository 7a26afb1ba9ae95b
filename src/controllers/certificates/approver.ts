import { CertificateSigningRequest } from "../../api/certificates/certificate-signing-request.ts";
import { APPROVED, conditionsOf, DENIED } from "../../api/certificates/conditions.ts";
import {
  KUBELET_CLIENT_SIGNER,
  signerProblem,
  type RequestContent,
} from "../../api/certificates/kubelet-requests.ts";
import type { Instant } from "../../base/clock.ts";
import { defineController, type Controller, type Plan } from "../../reconciler/controller.ts";
import { askerOf, type CertificatePort } from "./port.ts";

/** A node that may not ask is looked at again so often: it may be let in meanwhile. Doubling doubles its wait. */
const AGAIN_MS = 60_000;

/** What a node may ask for without anybody's yes, the first that fits. @spec sarapprove.go recognizers */
const RECOGNIZED = [
  {
    subresource: "selfnodeclient",
    message: "Auto approving self kubelet client certificate after SubjectAccessReview.",
  },
  {
    subresource: "nodeclient",
    message: "Auto approving kubelet client certificate after SubjectAccessReview.",
  },
] as const;

type Subresource = (typeof RECOGNIZED)[number]["subresource"];

/** `allowed`: which of what it could be its sender may ask for. */
export interface Observed {
  readonly request: CertificateSigningRequest;
  readonly recognized: readonly Subresource[];
  readonly allowed: readonly Subresource[];
}

/**
 * Approves client certificates of nodes: their own, and those of nodes that are about to join.
 *
 * @spec k8s@1.36 pkg/controller/certificates/approver/sarapprove.go
 */
export function certificateApprover(
  port: CertificatePort,
): Controller<CertificateSigningRequest, Observed> {
  return defineController<CertificateSigningRequest, Observed>({
    name: "csrapproving",
    primary: CertificateSigningRequest,
    triggers: [],
    observe(cache, key) {
      const request = cache.get(CertificateSigningRequest, key);
      if (!request || isSettled(request)) return undefined;
      const content = port.read(request.spec?.request ?? "");
      const recognized = content ? recognizedAs(request, content) : [];
      const asker = askerOf(request);
      const allowed = recognized.filter((subresource) => port.mayCreate(asker, subresource));
      return { request, recognized, allowed };
    },
    plan,
  });
}

/** Pure; see {@link certificateApprover}. */
export function plan({ request, recognized, allowed }: Observed, now: Instant): Plan {
  const found = RECOGNIZED.find(({ subresource }) => allowed.includes(subresource));
  if (!found) return recognized.length > 0 ? { wakeAt: now + AGAIN_MS } : {};
  const { message } = found;
  const approved = { type: APPROVED, status: "True", reason: "AutoApproved", message };
  const conditions = [...(request.status?.conditions ?? []), approved];
  const object: CertificateSigningRequest = {
    ...request,
    status: { ...request.status, conditions },
  };
  return {
    writes: [{ verb: "update", kind: CertificateSigningRequest, object, subresource: "approval" }],
  };
}

/** What a request could be, the strictest first; pure. */
export function recognizedAs(
  { spec }: CertificateSigningRequest,
  content: RequestContent,
): readonly Subresource[] {
  if (spec?.signerName !== KUBELET_CLIENT_SIGNER) return [];
  if (signerProblem(spec.signerName, content, spec.usages ?? []) !== undefined) return [];
  return spec.username === content.commonName ? ["selfnodeclient", "nodeclient"] : ["nodeclient"];
}

function isSettled({ status = {} }: CertificateSigningRequest): boolean {
  return (
    !!status.certificate ||
    conditionsOf(status, APPROVED).length > 0 ||
    conditionsOf(status, DENIED).length > 0
  );
}
