import type { V1Service } from "../../gen/types.ts";
import type { Kind } from "../machinery/kind.ts";
import type { Resource } from "../machinery/resource.ts";
import { statusStrategy, statusSubresource } from "../strategy/strategy.ts";
import { withServiceDefaults } from "./service-defaults.ts";
import { validateServiceChange } from "./service-ip-validation.ts";
import { mergedService, normalizedService } from "./service-update.ts";
import { validateService, validateServiceStatus } from "./service-validation.ts";
import { nameIsDns1035Label } from "../machinery/names.ts";
import { serviceColumns } from "./service-columns.ts";

export type Service = V1Service;

export const Service: Kind<Service> = {
  group: "",
  version: "v1",
  kind: "Service",
  plural: "services",
  isNamespaced: true,
};

/** @spec k8s@1.36 pkg/registry/core/service/strategy.go */
export const serviceResource: Resource<Service> = {
  kind: Service,
  singular: "service",
  shortNames: ["svc"],
  categories: ["all"],
  strategy: statusStrategy<Service>(
    { initialStatus: { loadBalancer: {} }, countsGenerations: false },
    {
      withDefaults: withServiceDefaults,
      prepareForCreate: normalizedService,
      prepareForUpdate: mergedService,
      validate: validateService,
      validateChange: validateServiceChange,
      validateName: nameIsDns1035Label,
      allowsCreateOnUpdate: true,
    },
  ),
  subresources: { status: statusSubresource<Service>(validateServiceStatus) },
  columns: serviceColumns,
  selectableFields: {
    "spec.clusterIP": (object) => object.spec?.clusterIP ?? "",
    "spec.type": (object) => object.spec?.type ?? "",
  },
};
