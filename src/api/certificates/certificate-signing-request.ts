import type { V1CertificateSigningRequest } from "../../gen/types.ts";
import { humanDuration } from "../machinery/human-duration.ts";
import type { Kind } from "../machinery/kind.ts";
import type { RequestFacts, Resource } from "../machinery/resource.ts";
import { ageColumn, nameColumn, textColumn } from "../strategy/columns.ts";
import { plainStrategy, withField } from "../strategy/strategy.ts";
import {
  validateRequest,
  validateRequestChange,
} from "./certificate-signing-request-validation.ts";
import { withStatusConditions } from "./conditions.ts";
import { olderRequests } from "./older-versions.ts";

export type CertificateSigningRequest = V1CertificateSigningRequest;

export const CertificateSigningRequest: Kind<CertificateSigningRequest> = {
  group: "certificates.k8s.io",
  version: "v1",
  kind: "CertificateSigningRequest",
  plural: "certificatesigningrequests",
  isNamespaced: false,
};

/** @spec k8s@1.36 pkg/registry/certificates/certificates/strategy.go */
export const certificateSigningRequestResource: Resource<CertificateSigningRequest> = {
  kind: CertificateSigningRequest,
  singular: "certificatesigningrequest",
  shortNames: ["csr"],
  strategy: plainStrategy<CertificateSigningRequest>({
    prepareForCreate: (request, facts) => ({ ...request, spec: asked(request, facts), status: {} }),
    prepareForUpdate: (request, old) =>
      withField(withField(request, "spec", old.spec), "status", old.status),
    validateNew: (request) => validateRequest(request, undefined),
    validateChange: (request, old) => validateRequestChange(request, old, "object"),
    // Anything that a path can say is a name.
    validateName: () => [],
  }),
  subresources: {
    status: {
      prepareForUpdate: (request, old, { now }) => ({
        ...withField(request, "spec", old.spec),
        status: withStatusConditions(request.status ?? {}, old.status ?? {}, now),
      }),
      validateUpdate: (request, old) => validateRequestChange(request, old, "status"),
    },
  },
  olderVersions: olderRequests,
  columns: [
    nameColumn(),
    ageColumn(),
    textColumn("SignerName", "Who is to sign", ({ spec }) => spec?.signerName || "<none>"),
    textColumn("Requestor", "Who asks", ({ spec }) => spec?.username ?? ""),
    textColumn("RequestedDuration", "How long it shall hold", ({ spec }) =>
      spec?.expirationSeconds === undefined
        ? "<none>"
        : humanDuration(spec.expirationSeconds * 1000),
    ),
    textColumn("Condition", "What has become of it", ({ status }) => conditionText(status ?? {})),
  ],
  selectableFields: { "spec.signerName": ({ spec }) => spec?.signerName ?? "" },
};

/** The spec as if its sender had said who they are: nobody asks in another's name. */
function asked(
  { spec }: CertificateSigningRequest,
  { user, identity }: RequestFacts,
): CertificateSigningRequest["spec"] {
  const { username, uid, groups, extra, ...rest } = spec ?? {};
  void [username, uid, groups, extra];
  return {
    ...rest,
    username: user,
    ...(identity?.uid && { uid: identity.uid }),
    ...(identity?.groups?.length && { groups: identity.groups }),
    ...(identity?.extra && Object.keys(identity.extra).length > 0 && { extra: identity.extra }),
  } as CertificateSigningRequest["spec"];
}

/** @spec k8s@1.36 printers.go extractCSRStatus */
function conditionText({
  conditions = [],
  certificate,
}: NonNullable<CertificateSigningRequest["status"]>): string {
  const has = (type: string): boolean => conditions.some((condition) => condition.type === type);
  const judged = has("Denied") ? "Denied" : has("Approved") ? "Approved" : "Pending";
  return `${judged}${has("Failed") ? ",Failed" : ""}${certificate ? ",Issued" : ""}`;
}
