import type { V1Node } from "../../gen/types.ts";
import type { Kind } from "../machinery/kind.ts";
import type { Resource } from "../machinery/resource.ts";
import { fill, mapField, statusStrategy, statusSubresource } from "../strategy/strategy.ts";
import { nodeColumns } from "./node-columns.ts";
import { validateNode, validateNodeChange, validateNodeStatus } from "./node-validation.ts";

export type Node = V1Node;

export const Node: Kind<Node> = {
  group: "",
  version: "v1",
  kind: "Node",
  plural: "nodes",
  isNamespaced: false,
};

/** @spec k8s@1.36 pkg/registry/core/node/strategy.go */
export const nodeResource: Resource<Node> = {
  kind: Node,
  singular: "node",
  shortNames: ["no"],
  strategy: statusStrategy<Node>(
    { countsGenerations: false },
    { withDefaults, validate: validateNode, validateChange: validateNodeChange },
  ),
  subresources: { status: statusSubresource<Node>(validateNodeStatus) },
  columns: nodeColumns,
  selectableFields: {
    "spec.unschedulable": (object) => String(object.spec?.unschedulable ?? false),
  },
};

function withDefaults(node: Node): Node {
  return mapField(node, "status", (status) =>
    status.capacity ? fill(status, { allocatable: status.capacity }) : status,
  );
}
