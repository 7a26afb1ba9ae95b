/**
 * A body whose bytes are made when the peer can take them: a long list, a watch, a log.
 *
 * Why pulled: a slow reader holds back whoever makes the bytes, so nothing queues up between the two.
 */
export interface ByteSource {
  /**
   * The next bytes. `undefined`: none now, `onReadable`'s listener will be called. `null`: the end.
   *
   * @throws the body broke off: its reader must not take what came for the whole, so its connection or stream is cut.
   */
  read(): Buffer | undefined | null;
  /** True: the next `read` would give nothing, until `onReadable`'s listener is called. Absent: nobody knows before it reads. */
  readonly isWaiting?: boolean;
  /** Called once, before the first `read`. */
  onReadable(listener: () => void): void;
  /** The peer is gone or the end was read: nothing will be read any more. Idempotent. */
  close(): void;
}

/** True for a {@link ByteSource}, false for bytes and text. */
export function isByteSource(body: unknown): body is ByteSource {
  return typeof body === "object" && body !== null && "onReadable" in body;
}

/**
 * A source over an async iterable, which is asked for its next piece only when the last one was read.
 *
 * An error of the iterable ends the body.
 */
export function fromIterable(pieces: AsyncIterable<Uint8Array>): ByteSource {
  const iterator = pieces[Symbol.asyncIterator]();
  let ready: Buffer | undefined | null;
  let isAsking = false;
  let notify: () => void = () => {};
  const settle = (value: Buffer | null): void => {
    isAsking = false;
    ready = value;
    notify();
  };
  const ask = (): void => {
    isAsking = true;
    iterator.next().then(
      ({ done, value }) => settle(done ? null : Buffer.from(value)),
      () => settle(null),
    );
  };
  return {
    read() {
      const piece = ready;
      if (piece === null) return null;
      ready = undefined;
      if (!isAsking) ask();
      return piece;
    },
    onReadable(listener) {
      notify = listener;
    },
    close() {
      ready = null;
      void iterator.return?.();
    },
  };
}
