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
