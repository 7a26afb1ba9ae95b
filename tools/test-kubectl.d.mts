/** The releases that `testKubectl` gives on this machine. */
export const FETCHED_VERSIONS: readonly string[];
/** Path of the kubectl; fetched when it is not cached. */
export function testKubectl(): string;
