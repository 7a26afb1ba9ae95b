/** One volume could not be made. The message is upstream's event. */
export class VolumeError extends Error {
  override readonly name = "VolumeError";
}
