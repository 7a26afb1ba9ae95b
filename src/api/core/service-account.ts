import type { V1ServiceAccount } from "../../gen/types.ts";
import type { Kind } from "../machinery/kind.ts";
import type { Resource } from "../machinery/resource.ts";
import { ageColumn, nameColumn, textColumn } from "../strategy/columns.ts";
import { plainStrategy } from "../strategy/strategy.ts";

export type ServiceAccount = V1ServiceAccount;

export const ServiceAccount: Kind<ServiceAccount> = {
  group: "",
  version: "v1",
  kind: "ServiceAccount",
  plural: "serviceaccounts",
  isNamespaced: true,
};

/** @spec k8s@1.36 pkg/registry/core/serviceaccount/strategy.go */
export const serviceAccountResource: Resource<ServiceAccount> = {
  kind: ServiceAccount,
  singular: "serviceaccount",
  shortNames: ["sa"],
  strategy: plainStrategy<ServiceAccount>(),
  columns: [nameColumn(), textColumn("Secrets", "Number of secrets", secretCount), ageColumn()],
};

function secretCount(account: ServiceAccount): number {
  return account.secrets?.length ?? 0;
}
