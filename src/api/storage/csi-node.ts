import type { V1CSINode, V1CSINodeDriver } from "../../gen/types.ts";
import { equalSemantic } from "../machinery/equality.ts";
import { invalid, required } from "../machinery/field-error.ts";
import type { Kind } from "../machinery/kind.ts";
import { FIELD_IMMUTABLE } from "../machinery/object-meta-validation.ts";
import { sameForm } from "../machinery/older-version.ts";
import type { Resource } from "../machinery/resource.ts";
import { each, nonNegative, unique, when, type Errors } from "../strategy/checks.ts";
import { ageColumn, integerColumn, nameColumn } from "../strategy/columns.ts";
import { plainStrategy, withField } from "../strategy/strategy.ts";
import { validateDriverName, validateTopologyKeys } from "./driver-rules.ts";

export type CSINode = V1CSINode;

export const CSINode: Kind<CSINode> = {
  group: "storage.k8s.io",
  version: "v1",
  kind: "CSINode",
  plural: "csinodes",
  isNamespaced: false,
};

/** Bytes of what a driver calls a node. @spec k8s@1.36 pkg/apis/storage/validation csiNodeIDLongerMaxLength */
const NODE_ID_BYTES_MAX = 256;

/** @spec k8s@1.36 pkg/registry/storage/csinode/strategy.go */
export const csiNodeResource: Resource<CSINode> = {
  kind: CSINode,
  singular: "csinode",
  strategy: plainStrategy<CSINode>({
    validate: ({ spec }) => validateDrivers(spec?.drivers ?? []),
    validateChange,
    allowsUnconditionalUpdate: false,
  }),
  olderVersions: [sameForm(CSINode, "v1beta1", "1.17", "1.22")],
  columns: [
    nameColumn(),
    integerColumn(
      "Drivers",
      "How many drivers the node has",
      ({ spec }) => spec?.drivers?.length ?? 0,
    ),
    ageColumn(),
  ],
};

/** @spec k8s@1.36 pkg/apis/storage/validation validateCSINodeDrivers */
function validateDrivers(drivers: readonly V1CSINodeDriver[]): Errors {
  return [
    ...each(drivers, "spec.drivers", ({ name, nodeID = "", allocatable, topologyKeys }, field) => [
      ...validateDriverName(name ?? "", `${field}.name`),
      ...when(nodeID === "", required(`${field}.nodeID`)),
      ...when(
        Buffer.byteLength(nodeID) > NODE_ID_BYTES_MAX,
        invalid(`${field}.nodeID`, nodeID, `must be ${NODE_ID_BYTES_MAX} characters or less`),
      ),
      ...nonNegative(`${field}.allocatable.count`, allocatable?.count),
      ...validateTopologyKeys(topologyKeys ?? [], field),
    ]),
    ...unique(
      drivers,
      (index) => `spec.drivers[${index}].name`,
      ({ name }) => name,
    ),
  ];
}

/** Of a driver that stays, only how many volumes it takes may change. @spec ValidateCSINodeUpdate */
function validateChange({ spec }: CSINode, old: CSINode): Errors {
  const fixed = (driver: V1CSINodeDriver) => withField(driver, "allocatable", undefined);
  return (old.spec?.drivers ?? []).flatMap((before) =>
    (spec?.drivers ?? [])
      .filter(({ name }) => name === before.name)
      .flatMap((now) =>
        when(
          !equalSemantic(fixed(now), fixed(before)),
          invalid("spec.drivers", fixed(now), FIELD_IMMUTABLE),
        ),
      ),
  );
}
