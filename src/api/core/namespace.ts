import type { V1Namespace } from "../../gen/types.ts";
import type { Kind } from "../machinery/kind.ts";
import type { Resource } from "../machinery/resource.ts";
import { ageColumn, nameColumn, textColumn } from "../strategy/columns.ts";
import {
  fill,
  mapField,
  statusStrategy,
  statusSubresource,
  withField,
} from "../strategy/strategy.ts";
import { invalid } from "../machinery/field-error.ts";
import { nameIsDnsLabel, validateQualifiedName } from "../machinery/names.ts";
import { each, invalids, when, type Errors } from "../strategy/checks.ts";

export type Namespace = V1Namespace;

export const Namespace: Kind<Namespace> = {
  group: "",
  version: "v1",
  kind: "Namespace",
  plural: "namespaces",
  isNamespaced: false,
};

/** The finalizer that keeps a namespace until its content is gone. */
export const NAMESPACE_FINALIZER = "kubernetes";

const NAME_LABEL = "kubernetes.io/metadata.name";

/** @spec k8s@1.36 pkg/registry/core/namespace/strategy.go */
export const namespaceResource: Resource<Namespace> = {
  kind: Namespace,
  singular: "namespace",
  shortNames: ["ns"],
  verbs: ["get", "list", "watch", "create", "update", "patch", "delete"],
  strategy: statusStrategy<Namespace>(
    { initialStatus: { phase: "Active" }, countsGenerations: false },
    {
      withDefaults,
      validate: validateNamespace,
      validateName: nameIsDnsLabel,
      prepareForCreate: withFinalizer,
      prepareForUpdate: (object, old) => ({
        ...object,
        spec: { ...object.spec, finalizers: old.spec?.finalizers ?? [] },
      }),
    },
  ),
  subresources: { status: statusSubresource<Namespace>(validateStatus) },
  columns: [
    nameColumn(),
    textColumn(
      "Status",
      "Whether the namespace is active or being deleted",
      (object) => object.status?.phase ?? "",
    ),
    ageColumn(),
  ],
  selectableFields: {
    "status.phase": (object) => object.status?.phase ?? "",
    name: (object) => object.metadata?.name ?? "",
  },
};

function withFinalizer(namespace: Namespace): Namespace {
  const finalizers = namespace.spec?.finalizers ?? [];
  return finalizers.includes(NAMESPACE_FINALIZER)
    ? namespace
    : {
        ...namespace,
        spec: { ...namespace.spec, finalizers: [...finalizers, NAMESPACE_FINALIZER] },
      };
}

/** The label lets selectors name a namespace. */
function withDefaults(namespace: Namespace): Namespace {
  const name = namespace.metadata?.name;
  const phased = mapField(namespace, "status", (status) => fill(status, { phase: "Active" }));
  return name
    ? mapField(phased, "metadata", (metadata) => ({
        ...metadata,
        labels: { ...metadata.labels, [NAME_LABEL]: name },
      }))
    : phased;
}

/**
 * Finalizers of the spec, also when `finalize` sets them.
 *
 * @spec k8s@1.36 pkg/apis/core/validation ValidateNamespace, ValidateNamespaceFinalizeUpdate
 */
export function validateNamespace({ spec }: Namespace): Errors {
  return each(spec?.finalizers, "spec.finalizers", (name, path) => {
    const isOurs = name === NAMESPACE_FINALIZER || name === "orphan";
    const isBare = !name.includes("/") && !isOurs;
    return [
      ...invalids(path, name, validateQualifiedName(name)),
      ...when(
        isBare,
        invalid(path, name, "name is neither a standard finalizer name nor is it fully qualified"),
      ),
    ];
  });
}

/** Phase and deletion go together. @spec ValidateNamespaceStatusUpdate */
function validateStatus({ metadata, status }: Namespace): Errors {
  const isDeleted = metadata?.deletionTimestamp !== undefined;
  const phase = isDeleted ? "Terminating" : "Active";
  const state = isDeleted ? "not empty" : "empty";
  return when(
    (status?.phase ?? "") !== phase,
    invalid(
      "status.Phase",
      status?.phase ?? "",
      `may only be '${phase}' if \`deletionTimestamp\` is ${state}`,
    ),
  );
}

/**
 * Rules of `namespaces/finalize`, by which the namespace's controller says that all is gone.
 *
 * @spec k8s@1.36 pkg/registry/core/namespace namespaceFinalizeStrategy
 */
export const finalizeRules = {
  prepareForUpdate: (namespace: Namespace, old: Namespace): Namespace =>
    withField(namespace, "status", old.status),
  validateUpdate: (namespace: Namespace): Errors => validateNamespace(namespace),
};
