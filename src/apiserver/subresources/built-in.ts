import { podBinding } from "./pod-binding.ts";
import { podEviction } from "./pod-eviction.ts";
import { namespaceFinalize, podEphemeralContainers, podResize, requestApproval } from "./ruled.ts";
import type { SubresourceHandler } from "./subresource.ts";

/** The subresources that the server itself answers. */
export const builtInSubresources: readonly SubresourceHandler[] = [
  podBinding,
  podEviction,
  podEphemeralContainers,
  podResize,
  namespaceFinalize,
  requestApproval,
];
