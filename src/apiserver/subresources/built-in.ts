import type { SubresourceHandler } from "./subresource.ts";

/** The subresources that the server itself answers. */
export const builtInSubresources: readonly SubresourceHandler[] = [];
