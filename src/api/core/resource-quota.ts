import type { V1ResourceQuota } from "../../gen/types.ts";
import type { Kind } from "../machinery/kind.ts";
import type { Resource } from "../machinery/resource.ts";
import { ageColumn, nameColumn, textColumn } from "../strategy/columns.ts";
import { statusStrategy, statusSubresource } from "../strategy/strategy.ts";
import {
  validateQuotaChange,
  validateQuotaStatus,
  validateResourceQuota,
} from "./resource-quota-validation.ts";

export type ResourceQuota = V1ResourceQuota;

export const ResourceQuota: Kind<ResourceQuota> = {
  group: "",
  version: "v1",
  kind: "ResourceQuota",
  plural: "resourcequotas",
  isNamespaced: true,
};

/** @spec k8s@1.36 pkg/registry/core/resourcequota/strategy.go */
export const resourceQuotaResource: Resource<ResourceQuota> = {
  kind: ResourceQuota,
  singular: "resourcequota",
  shortNames: ["quota"],
  strategy: statusStrategy<ResourceQuota>(
    { initialStatus: {}, countsGenerations: false },
    {
      validate: validateResourceQuota,
      validateChange: validateQuotaChange,
      allowsCreateOnUpdate: false,
    },
  ),
  subresources: { status: statusSubresource<ResourceQuota>(validateQuotaStatus) },
  columns: [
    nameColumn(),
    textColumn("Request", "What is used of what may be asked for", (quota) =>
      formatUse(quota, false),
    ),
    textColumn("Limit", "What is used of the sum of limits", (quota) => formatUse(quota, true)),
    ageColumn(),
  ],
};

/** `pods: 3/10, requests.cpu: 300m/1`. @spec k8s@1.36 printers.go printResourceQuota */
function formatUse({ status }: ResourceQuota, ofLimits: boolean): string {
  return Object.keys(status?.hard ?? {})
    .filter((name) => name.startsWith("limits.") === ofLimits)
    .sort()
    .map((name) => `${name}: ${status?.used?.[name] ?? "0"}/${status?.hard?.[name]}`)
    .join(", ");
}
