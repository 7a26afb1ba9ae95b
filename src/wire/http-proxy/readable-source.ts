import type { Readable } from "node:stream";
import type { ByteSource } from "../http/byte-source.ts";

/** A source over a stream. `read` throws once the stream broke off before its end; `close` destroys it. */
export function fromReadable(stream: Readable): ByteSource {
  let isOver = false;
  let failure: Error | undefined;
  let notify: () => void = () => {};
  const fail = (error: Error): void => {
    if (isOver) return;
    failure ??= error;
    notify();
  };
  stream.on("end", () => {
    isOver = true;
    notify();
  });
  stream.on("error", fail);
  stream.on("close", () => fail(new Error("the body broke off")));
  stream.on("readable", () => notify());
  return {
    read() {
      if (failure) throw failure;
      if (isOver) return null;
      return (stream.read() as Buffer | null) ?? undefined;
    },
    onReadable(listener) {
      notify = listener;
    },
    close() {
      isOver = true;
      stream.destroy();
    },
  };
}
