import type { V1Lease } from "../../gen/types.ts";
import type { Kind } from "../machinery/kind.ts";
import { sameForm } from "../machinery/older-version.ts";
import type { Resource } from "../machinery/resource.ts";
import { ageColumn, nameColumn, textColumn } from "../strategy/columns.ts";
import { plainStrategy } from "../strategy/strategy.ts";
import { invalid, required } from "../machinery/field-error.ts";
import { oneOf, when, type Errors } from "../strategy/checks.ts";

export type Lease = V1Lease;

export const Lease: Kind<Lease> = {
  group: "coordination.k8s.io",
  version: "v1",
  kind: "Lease",
  plural: "leases",
  isNamespaced: true,
};

/** @spec k8s@1.36 pkg/registry/coordination/lease/strategy.go */
export const leaseResource: Resource<Lease> = {
  kind: Lease,
  singular: "lease",
  strategy: plainStrategy<Lease>({
    validate: validateLease,
    allowsCreateOnUpdate: true,
    allowsUnconditionalUpdate: false,
  }),
  olderVersions: [sameForm(Lease, "v1beta1", "1.19", "1.22")],
  columns: [
    nameColumn(),
    textColumn("Holder", "Who holds the lease", (lease) => lease.spec?.holderIdentity ?? ""),
    ageColumn(),
  ],
};

/** @spec k8s@1.36 pkg/apis/coordination/validation ValidateLeaseSpec */
function validateLease({ spec = {} }: Lease): Errors {
  const { leaseDurationSeconds: seconds, leaseTransitions: transitions } = spec;
  const coordinated = "strategy must be specified when preferredHolder is set";
  return [
    ...when(
      seconds !== undefined && seconds <= 0,
      invalid("spec.leaseDurationSeconds", seconds, "must be greater than 0"),
    ),
    ...when(
      transitions !== undefined && transitions < 0,
      invalid("spec.leaseTransitions", transitions, "must be greater than or equal to 0"),
    ),
    ...oneOf("spec.strategy", spec.strategy, ["OldestEmulationVersion"]),
    ...when(!!spec.preferredHolder && !spec.strategy, required("spec.strategy", coordinated)),
  ];
}
