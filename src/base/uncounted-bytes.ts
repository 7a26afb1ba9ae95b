/**
 * Memory for many small values, all zero, that V8 does not count as the heap's.
 *
 * Why: with every 64 MB of counted buffers V8 begins a major collection, and while that marks, each buffer that is made costs its
 * turn of the event loop 5 to 10 ms. Shared memory is not counted; nothing here is ever shared with another thread.
 * @bounds Garbage of it is not noticed either. So it is for values that stay, or whose owners have about as much on the heap:
 * for a value of 3 kB the heap has 1 kB, so up to three times what the heap's own garbage is. Large values take counted buffers.
 */
export function uncountedBytes(bytes: number): Buffer {
  return Buffer.from(new SharedArrayBuffer(bytes));
}

/**
 * `Buffer.copy` for memory that may be {@link uncountedBytes}: V8 takes shared memory byte by byte, four times as slowly.
 *
 * @returns how many bytes were copied.
 */
export function copyBytes(
  source: Buffer,
  from: number,
  to: number,
  target: Buffer,
  at: number,
): number {
  const count = to - from;
  if (count > 0)
    target.fill(new Uint8Array(source.buffer, source.byteOffset + from, count), at, at + count);
  return Math.max(count, 0);
}
