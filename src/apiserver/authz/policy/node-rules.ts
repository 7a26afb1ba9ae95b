import type { V1PolicyRule } from "../../../gen/types.ts";
import { READ, rule } from "./rule.ts";

/**
 * What a kubelet does. The Node authorizer narrows most of it to the node's own objects.
 *
 * @spec k8s@1.36 bootstrappolicy NodeRules
 */
export const nodeRules: readonly V1PolicyRule[] = [
  rule("create", "authentication", "tokenreviews"),
  rule("create", "authorization", "subjectaccessreviews localsubjectaccessreviews"),
  rule(READ, "core", "services"),
  rule(`create ${READ}`, "core", "nodes"),
  rule("update patch", "core", "nodes/status"),
  rule("update patch", "core", "nodes"),
  rule("create update patch", "core events", "events"),
  rule(READ, "core", "pods"),
  rule("create delete", "core", "pods"),
  rule("update patch", "core", "pods/status"),
  rule("create", "core", "pods/eviction"),
  rule(READ, "core", "secrets configmaps"),
  rule("get", "core", "persistentvolumeclaims persistentvolumes"),
  rule("get", "core", "endpoints"),
  rule(`create ${READ}`, "certificates", "certificatesigningrequests"),
  rule("get create update patch delete", "coordination", "leases"),
  rule("get", "storage", "volumeattachments"),
  rule("create", "core", "serviceaccounts/token"),
  rule("get update patch", "core", "persistentvolumeclaims/status"),
  rule(READ, "storage", "csidrivers"),
  rule("get create update patch delete", "storage", "csinodes"),
  rule(READ, "node", "runtimeclasses"),
  rule("get", "resource", "resourceclaims"),
  rule(`deletecollection ${READ} create update patch delete`, "resource", "resourceslices"),
];
