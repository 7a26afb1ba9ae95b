import type { Plugin } from "../framework.ts";

/**
 * Keeps Pods waiting that need claims of devices: there are none in this cluster, and without its device a Pod must not run.
 *
 * @spec k8s@1.36 plugins/dynamicresources PreEnqueue of a claim that is not there
 */
export const dynamicResources: Plugin<readonly string[]> = {
  name: "DynamicResources",
  read({ resourceClaims = [] }) {
    if (resourceClaims.length === 0) return undefined;
    return resourceClaims.map(({ resourceClaimName }) => resourceClaimName ?? "");
  },
  gate([name]) {
    return name ? `resourceclaim "${name}" not found` : "ResourceClaim not created yet";
  },
  canHelp: () => false,
};
