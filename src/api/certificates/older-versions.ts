import type { V1CertificateSigningRequest } from "../../gen/types.ts";
import { sameForm, type OlderVersion } from "../machinery/older-version.ts";
import { fill, mapField, mapItems } from "../strategy/strategy.ts";

const REQUEST = {
  group: "certificates.k8s.io",
  version: "v1",
  kind: "CertificateSigningRequest",
};

/**
 * In `v1beta1` usages may be left out. So may the signer: which one is meant depends on what is inside of the request, so
 * admission says.
 *
 * @spec k8s@1.36 pkg/apis/certificates/v1beta1/defaults.go
 */
export const olderRequests: readonly OlderVersion<V1CertificateSigningRequest>[] = [
  {
    ...sameForm(REQUEST, "v1beta1", "1.19", "1.22"),
    toHub(object) {
      const request = object as V1CertificateSigningRequest;
      const asked = mapField(request, "spec", (spec) =>
        fill(spec, { usages: ["digital signature", "key encipherment"] }),
      );
      return mapField(asked, "status", (status) =>
        mapField(status, "conditions", (conditions) =>
          mapItems(conditions, (condition) => fill(condition, { status: "True" })),
        ),
      );
    },
  },
];
