import { CertificateSigningRequest } from "../../api/certificates/certificate-signing-request.ts";
import { APPROVED, conditionsOf, DENIED, FAILED } from "../../api/certificates/conditions.ts";
import {
  CLIENT_SIGNER,
  KUBELET_CLIENT_SIGNER,
  KUBELET_SERVING_SIGNER,
  LEGACY_SIGNER,
  signerProblem,
} from "../../api/certificates/kubelet-requests.ts";
import { formatTime, type Instant } from "../../base/clock.ts";
import { defineController, type Controller, type Plan } from "../../reconciler/controller.ts";
import type { CertificatePort } from "./port.ts";

const SIGNERS: ReadonlySet<string> = new Set([
  CLIENT_SIGNER,
  KUBELET_CLIENT_SIGNER,
  KUBELET_SERVING_SIGNER,
  LEGACY_SIGNER,
]);

/** A year: the longest life that is given, and that of who asks for none. @spec --cluster-signing-duration */
const LIFE_MS_MAX = 365 * 86_400_000;
/** Twice what certificates are dated back. @spec signer.go duration */
const LIFE_MS_MIN = 600_000;
/** Certificates begin so long before now, for clocks that are behind; those of a long life end as much sooner. @spec signer.go Backdate, Short */
const BACKDATE_MS = 300_000;
const LONG_LIFE_MS = 8 * 3_600_000;

/** What signing came to: a certificate, or why there can be none. `undefined`: not now, or not ours. */
export type Outcome =
  | { readonly kind: "issued"; readonly certificate: string }
  | { readonly kind: "refused"; readonly why: string };

export interface Observed {
  readonly request: CertificateSigningRequest;
  readonly outcome: Outcome;
}

/**
 * Signs approved requests to the cluster's own signers with the cluster's authority.
 *
 * Signing is the port's: its result is part of what is observed, so that the plan is pure.
 * @spec k8s@1.36 pkg/controller/certificates/signer/signer.go
 */
export function certificateSigner(
  port: CertificatePort,
): Controller<CertificateSigningRequest, Observed> {
  return defineController<CertificateSigningRequest, Observed>({
    name: "csrsigning",
    primary: CertificateSigningRequest,
    triggers: [],
    observe(cache, key) {
      const request = cache.get(CertificateSigningRequest, key);
      if (!request || !isToBeSigned(request)) return undefined;
      const { request: text = "", signerName = "", usages = [] } = request.spec ?? {};
      const content = port.read(text);
      if (!content) return undefined;
      const why = signerProblem(signerName, content, usages);
      if (why !== undefined) return { request, outcome: { kind: "refused", why } };
      const certificate = port.sign(text, usages, lifeMs(request.spec?.expirationSeconds));
      return { request, outcome: { kind: "issued", certificate } };
    },
    plan,
  });
}

/** Pure; see {@link certificateSigner}. */
export function plan({ request, outcome }: Observed, now: Instant): Plan {
  if (outcome.kind === "issued")
    return { status: { ...request.status, certificate: outcome.certificate } };
  const failed = {
    type: FAILED,
    status: "True",
    reason: "SignerValidationFailure",
    message: outcome.why,
    lastUpdateTime: formatTime(now),
  };
  const conditions = [...(request.status?.conditions ?? []), failed];
  return { status: { ...request.status, conditions } };
}

/** Approved, not denied, to one of our signers, and nothing has come of it; pure. */
export function isToBeSigned({ spec, status = {} }: CertificateSigningRequest): boolean {
  const isTrue = (type: string): boolean =>
    conditionsOf(status, type).some((condition) => condition.status === "True");
  return (
    SIGNERS.has(spec?.signerName ?? "") &&
    !status.certificate &&
    conditionsOf(status, APPROVED).length > 0 &&
    conditionsOf(status, DENIED).length === 0 &&
    !isTrue(FAILED)
  );
}

/** How long from now a certificate holds for which so many seconds were asked; pure. @spec signer.go duration, policies.go */
export function lifeMs(expirationSeconds: number | undefined): number {
  const askedMs = expirationSeconds === undefined ? LIFE_MS_MAX : expirationSeconds * 1000;
  const givenMs = Math.min(Math.max(askedMs, LIFE_MS_MIN), LIFE_MS_MAX);
  return givenMs < LONG_LIFE_MS ? givenMs : givenMs - BACKDATE_MS;
}
