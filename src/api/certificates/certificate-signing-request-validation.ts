import type { V1CertificateSigningRequest } from "../../gen/types.ts";
import { equalSemantic } from "../machinery/equality.ts";
import {
  duplicate,
  forbidden,
  invalid,
  notSupported,
  required,
  tooLong,
} from "../machinery/field-error.ts";
import { validateDnsLabel, validateDnsSubdomain } from "../machinery/names.ts";
import { each, when, type Errors } from "../strategy/checks.ts";
import { APPROVED, conditionsOf, DENIED, FAILED, type RequestCondition } from "./conditions.ts";
import { isUsage, USAGES } from "./usages.ts";

type Request = V1CertificateSigningRequest;

/** What upstream takes as the shortest life: twice what certificates are dated back. */
const LIFE_SECONDS_MIN = 600;

/** Conditions that say yes, or nothing. */
const TRUE_ONLY: ReadonlySet<string> = new Set([APPROVED, DENIED, FAILED]);

/** Bytes of a domain, and of a signer's whole name. @spec ValidateSignerName */
const DOMAIN_BYTES_MAX = 253;
const SIGNER_BYTES_MAX = 571;

/** `old`: what it was tolerates, it tolerates. @spec k8s@1.36 pkg/apis/certificates/validation */
export function validateRequest({ spec, status }: Request, old: Request | undefined): Errors {
  const { usages = [], signerName = "", expirationSeconds: life } = spec ?? {};
  const tooShort = "may not specify a duration less than 600 seconds (10 minutes)";
  return [
    ...when(usages.length === 0, required("spec.usages")),
    ...each(usages, "spec.usages", (usage, path, index) => [
      ...when(
        !isUsage(usage) && !old?.spec?.usages?.includes(usage),
        notSupported(path, usage, USAGES),
      ),
      ...when(usages.indexOf(usage) < index, duplicate(path, usage)),
    ]),
    ...validateSignerName(signerName, "spec.signerName"),
    ...when(
      life !== undefined && life < LIFE_SECONDS_MIN,
      invalid("spec.expirationSeconds", life, tooShort),
    ),
    ...validateConditions(status?.conditions ?? [], old?.status?.conditions ?? []),
  ];
}

function validateConditions(
  conditions: readonly RequestCondition[],
  old: readonly RequestCondition[],
): Errors {
  const has = (list: readonly RequestCondition[], type: string): boolean =>
    list.some((condition) => condition.type === type);
  const wasBoth = has(old, APPROVED) && has(old, DENIED);
  const opposite = (type: string): string | undefined =>
    type === APPROVED ? DENIED : type === DENIED ? APPROVED : undefined;
  return each(conditions, "status.conditions", ({ type, status }, path, index) => {
    const before = conditions.slice(0, index);
    const other = opposite(type);
    const exclusive = "Approved and Denied conditions are mutually exclusive";
    return [
      ...when(!type, required(`${path}.type`)),
      ...validateStatus(type, status, `${path}.status`),
      ...when(
        other !== undefined && has(before, other) && !wasBoth,
        invalid(`${path}.type`, type, exclusive),
      ),
      ...when(has(before, type), duplicate(`${path}.type`, type)),
    ];
  });
}

function validateStatus(type: string, status: string | undefined, field: string): Errors {
  if (!status) return [required(field)];
  const allowed = TRUE_ONLY.has(type) ? ["True"] : ["False", "True", "Unknown"];
  return when(!allowed.includes(status), notSupported(field, status, allowed));
}

/** Through which endpoint a request is changed: each may change something else. */
export type Endpoint = "object" | "status" | "approval";

/** @spec k8s@1.36 pkg/apis/certificates/validation validateCertificateSigningRequestUpdate */
export function validateRequestChange(request: Request, old: Request, endpoint: Endpoint): Errors {
  const [now, before] = [request.status ?? {}, old.status ?? {}];
  const field = "status.conditions";
  const removed = [APPROVED, DENIED, FAILED].flatMap((type) =>
    when(
      conditionsOf(now, type).length < conditionsOf(before, type).length,
      forbidden(field, `updates may not remove a condition of type "${type}"`),
    ),
  );
  const judged = [APPROVED, DENIED].flatMap((type): Errors => {
    const [is, was] = [conditionsOf(now, type), conditionsOf(before, type)];
    if (is.length > was.length)
      return [forbidden(field, `updates may not add a condition of type "${type}"`)];
    const isChanged = is.length === was.length && !equalSemantic(is, was);
    const changed = `updates may not modify a condition of type "${type}"`;
    return when(isChanged, forbidden(field, changed));
  });
  return [
    ...validateRequest(request, old),
    ...removed,
    ...(endpoint === "approval" ? [] : judged),
    ...validateCertificateChange(now.certificate ?? "", before.certificate ?? "", endpoint),
  ];
}

function validateCertificateChange(is: string, was: string, endpoint: Endpoint): Errors {
  if (is === was) return [];
  const field = "status.certificate";
  if (endpoint !== "status") return [forbidden(field, "updates may not set certificate content")];
  const sealed = "updates may not modify existing certificate content";
  return when(was !== "", forbidden(field, sealed));
}

/** `example.com/signer`. @spec k8s@1.36 pkg/apis/certificates/validation ValidateSignerName */
export function validateSignerName(name: string, field: string): Errors {
  if (name === "") return [required(field)];
  const [domain, path, ...more] = name.split("/");
  const form = "must be a fully qualified domain and path of the form 'example.com/signer-name'";
  if (path === undefined || more.length > 0) return [invalid(field, name, form)];
  const labels = domain!.split(".");
  const single = "should be a domain with at least two segments separated by dots";
  return [
    ...when(domain!.length > DOMAIN_BYTES_MAX, tooLong(field, DOMAIN_BYTES_MAX)),
    ...firstWrong(labels, domain!, field, validateDnsLabel),
    ...when(labels.length < 2, invalid(field, domain, single)),
    ...firstWrong(path.split("."), path, field, validateDnsSubdomain),
    ...when(name.length > SIGNER_BYTES_MAX, tooLong(field, SIGNER_BYTES_MAX)),
  ];
}

function firstWrong(
  labels: readonly string[],
  whole: string,
  field: string,
  rule: (label: string) => readonly string[],
): Errors {
  for (const label of labels) {
    const wrong = rule(label);
    if (wrong.length > 0)
      return wrong.map((why) =>
        invalid(field, whole, `validating label ${JSON.stringify(label)}: ${why}`),
      );
  }
  return [];
}
