import type { V1Lease } from "../../gen/types.ts";
import type { Kind } from "../machinery/kind.ts";
import type { Resource } from "../machinery/resource.ts";
import { ageColumn, nameColumn, textColumn } from "../strategy/columns.ts";
import { plainStrategy } from "../strategy/strategy.ts";

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
  strategy: plainStrategy<Lease>({ allowsCreateOnUpdate: true, allowsUnconditionalUpdate: false }),
  columns: [
    nameColumn(),
    textColumn("Holder", "Who holds the lease", (lease) => lease.spec?.holderIdentity ?? ""),
    ageColumn(),
  ],
};
