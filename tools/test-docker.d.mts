/** Path of a docker CLI that still knows Kubernetes; fetched when it is not cached. */
export function testDocker(): string;
