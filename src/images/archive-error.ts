/** The archive is damaged, or not what it says. The message says where and what was expected. Not retried. */
export class ArchiveError extends Error {
  override readonly name = "ArchiveError";
}
