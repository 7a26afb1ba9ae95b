/** Path of the archive with a recipe's images (`busybox`, `nginx`); built when it is not cached. */
export function testImageArchive(name: string): string;
