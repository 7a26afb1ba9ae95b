import type { V1Deployment } from "../../gen/types.ts";
import type { Kind } from "../machinery/kind.ts";
import type { Resource } from "../machinery/resource.ts";
import { labelSelectorOf } from "../machinery/label-selector.ts";
import { ageColumn, nameColumn, templateColumns, textColumn } from "../strategy/columns.ts";
import { withDeploymentDefaults } from "./deployment-defaults.ts";
import { validateDeployment, validateDeploymentStatus } from "./deployment-validation.ts";
import { olderDeployments } from "./older-versions.ts";
import { unchangedSelector, workloadWarnings } from "../core/template-validation.ts";
import { mapField, statusStrategy, statusSubresource, withField } from "../strategy/strategy.ts";

export type Deployment = V1Deployment;

export const Deployment: Kind<Deployment> = {
  group: "apps",
  version: "v1",
  kind: "Deployment",
  plural: "deployments",
  isNamespaced: true,
};

/** @spec k8s@1.36 pkg/registry/apps/deployment/strategy.go */
export const deploymentResource: Resource<Deployment> = {
  kind: Deployment,
  singular: "deployment",
  shortNames: ["deploy"],
  categories: ["all"],
  strategy: statusStrategy<Deployment>(
    { initialStatus: {}, countsGenerations: true, countsAnnotations: true },
    {
      withDefaults: withDeploymentDefaults,
      validate: validateDeployment,
      warnings: workloadWarnings,
      validateChange: (deployment, old) => unchangedSelector(deployment.spec, old.spec),
    },
  ),
  subresources: {
    status: statusSubresource<Deployment>(validateDeploymentStatus, (deployment, old) =>
      mapField(deployment, "metadata", (metadata) =>
        withField(metadata, "labels", old.metadata?.labels),
      ),
    ),
    scale: {
      replicas: (deployment) => deployment.spec?.replicas ?? 0,
      statusReplicas: (deployment) => deployment.status?.replicas ?? 0,
      selector: (deployment) => labelSelectorOf(deployment.spec?.selector).text,
      withReplicas: (deployment, replicas) => ({
        ...deployment,
        spec: { ...deployment.spec!, replicas },
      }),
    },
  },
  olderVersions: olderDeployments,
  columns: [
    nameColumn(),
    textColumn(
      "Ready",
      "How many of the wanted pods are ready",
      ({ status, spec }) => `${status?.readyReplicas ?? 0}/${spec?.replicas ?? 0}`,
    ),
    textColumn(
      "Up-to-date",
      "How many pods have the present template",
      ({ status }) => status?.updatedReplicas ?? 0,
    ),
    textColumn(
      "Available",
      "How many pods have been ready for long enough",
      ({ status }) => status?.availableReplicas ?? 0,
    ),
    ageColumn(),
    ...templateColumns<Deployment>(
      (deployment) => deployment.spec?.template,
      (deployment) => labelSelectorOf(deployment.spec?.selector).text,
    ),
  ],
};
