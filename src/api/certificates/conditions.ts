import { formatTime, type Instant } from "../../base/clock.ts";
import type {
  V1CertificateSigningRequestCondition,
  V1CertificateSigningRequestStatus,
} from "../../gen/types.ts";
import { withField } from "../strategy/strategy.ts";

export type RequestCondition = V1CertificateSigningRequestCondition;

export const APPROVED = "Approved";
export const DENIED = "Denied";
export const FAILED = "Failed";

/** The conditions of a type. */
export function conditionsOf(
  { conditions = [] }: V1CertificateSigningRequestStatus,
  type: string,
): readonly RequestCondition[] {
  return conditions.filter((condition) => condition.type === type);
}

/** A new status of the status endpoint: the word of whoever approves stays theirs. @spec preserveConditionInstances */
export function withStatusConditions(
  status: V1CertificateSigningRequestStatus,
  old: V1CertificateSigningRequestStatus,
  now: Instant,
): V1CertificateSigningRequestStatus {
  let conditions = status.conditions ?? [];
  for (const type of [APPROVED, DENIED]) {
    const kept = [...conditionsOf(old, type)];
    // Added or removed ones are what validation complains of.
    if (kept.length !== conditionsOf({ conditions }, type).length) continue;
    conditions = conditions.map((condition) =>
      condition.type === type ? kept.shift()! : condition,
    );
  }
  return withTimes({ ...status, conditions }, old, now);
}

/** A new status of the approval endpoint: nothing but conditions changes. */
export function withApproval(
  status: V1CertificateSigningRequestStatus,
  old: V1CertificateSigningRequestStatus,
  now: Instant,
): V1CertificateSigningRequestStatus {
  return withTimes({ ...old, conditions: status.conditions ?? [] }, old, now);
}

/** Fills in times that were left out. @spec populateConditionTimestamps */
function withTimes(
  status: V1CertificateSigningRequestStatus,
  old: V1CertificateSigningRequestStatus,
  now: Instant,
): V1CertificateSigningRequestStatus {
  const time = formatTime(now);
  const conditions = (status.conditions ?? []).map((condition) => {
    const before = conditionsOf(old, condition.type).find(
      (one) => one.status === condition.status && one.lastTransitionTime,
    );
    return {
      ...condition,
      lastUpdateTime: condition.lastUpdateTime ?? time,
      lastTransitionTime: condition.lastTransitionTime ?? before?.lastTransitionTime ?? time,
    };
  });
  return withField(status, "conditions", conditions.length > 0 ? conditions : undefined);
}
