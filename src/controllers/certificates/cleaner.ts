import { CertificateSigningRequest } from "../../api/certificates/certificate-signing-request.ts";
import { APPROVED, conditionsOf, DENIED, FAILED } from "../../api/certificates/conditions.ts";
import { keyOf } from "../../api/machinery/object.ts";
import { parseTime, type Instant } from "../../base/clock.ts";
import { defineController, type Controller, type Plan } from "../../reconciler/controller.ts";
import type { CertificatePort } from "./port.ts";

/** How long requests stay that have come to an end, and those that nobody answers. @spec cleaner.go. Doubling doubles what lies about. */
const SETTLED_MS = 3_600_000;
const PENDING_MS = 24 * 3_600_000;

/** `endsAt`: when the certificate that was issued ends. */
export interface Observed {
  readonly request: CertificateSigningRequest;
  readonly endsAt: Instant | undefined;
}

/**
 * Removes requests that have served: issued, denied and failed ones after an hour, unanswered ones after a day, and those
 * whose certificate has ended.
 *
 * @spec k8s@1.36 pkg/controller/certificates/cleaner/cleaner.go
 */
export function certificateCleaner(
  port: CertificatePort,
): Controller<CertificateSigningRequest, Observed> {
  return defineController<CertificateSigningRequest, Observed>({
    name: "csrcleaner",
    primary: CertificateSigningRequest,
    triggers: [],
    observe(cache, key) {
      const request = cache.get(CertificateSigningRequest, key);
      const certificate = request?.status?.certificate;
      return request && { request, endsAt: certificate ? port.endOf(certificate) : undefined };
    },
    plan,
  });
}

/** Pure; see {@link certificateCleaner}. */
export function plan({ request, endsAt }: Observed, now: Instant): Plan {
  const due = dueAt(request, endsAt);
  if (due === undefined) return {};
  if (now < due) return { wakeAt: due };
  const ifUid = request.metadata?.uid ?? "";
  return {
    writes: [{ verb: "delete", kind: CertificateSigningRequest, key: keyOf(request), ifUid }],
  };
}

function dueAt(
  { metadata, status = {} }: CertificateSigningRequest,
  endsAt: Instant | undefined,
): Instant | undefined {
  const { conditions = [], certificate } = status;
  if (conditions.length === 0) return laterThan(metadata?.creationTimestamp, PENDING_MS);
  const isIssued = !!certificate;
  const settled = [DENIED, FAILED, ...(isIssued ? [APPROVED] : [])];
  const dues = settled
    .flatMap((type) => conditionsOf(status, type))
    .map(({ lastUpdateTime }) => laterThan(lastUpdateTime, SETTLED_MS));
  const isGranted = isIssued && conditionsOf(status, APPROVED).length > 0;
  const known = [...dues, ...(isGranted ? [endsAt] : [])].filter((at) => at !== undefined);
  return known.length > 0 ? Math.min(...known) : undefined;
}

function laterThan(time: string | undefined, ms: number): Instant | undefined {
  const at = parseTime(time ?? "");
  return Number.isNaN(at) ? undefined : at + ms;
}
