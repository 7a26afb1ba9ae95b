import {
  EMPTY_SET,
  fieldSetOf,
  type FieldSet,
} from "../../api/machinery/managed-fields/field-set.ts";
import type { PathElement } from "../../api/machinery/managed-fields/path-element.ts";
import type { ServedResource } from "../resource-table.ts";

/** What the status endpoints of some kinds do not let a client change besides `spec`. @spec pkg/registry GetResetFields */
const BESIDE_SPEC: Readonly<Record<string, readonly (readonly PathElement[])[]>> = {
  "/pods": [
    ["f:metadata", "f:deletionTimestamp"],
    ["f:metadata", "f:ownerReferences"],
  ],
  "apps/deployments": [["f:metadata", "f:labels"]],
  "apiextensions.k8s.io/customresourcedefinitions": [["f:metadata"]],
  "resource.k8s.io/resourceclaims": [["f:metadata"]],
  "storage.k8s.io/volumeattachments": [["f:metadata"]],
};

const STATUS = fieldSetOf(["f:status"]);

/** Fields that an endpoint puts back as they were: nobody comes to own them by it. */
export function resetFields(served: ServedResource, subresource: string): FieldSet {
  const { kind, resource } = served;
  if (subresource === "") return resource.subresources?.status ? STATUS : EMPTY_SET;
  if (subresource !== "status") return EMPTY_SET;
  return fieldSetOf(["f:spec"], ...(BESIDE_SPEC[`${kind.group}/${kind.plural}`] ?? []));
}
