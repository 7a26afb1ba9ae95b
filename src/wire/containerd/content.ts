import { isAlreadyExists, isNotFound, type GrpcChannel, type Method } from "../grpc/channel.ts";
import { messageCodecs } from "../protobuf/codec.ts";
import { FIELD_MASK_FIELDS, type Descriptor } from "./descriptor.ts";

type Labels = Readonly<Record<string, string>>;

/** Bytes of one write. gRPC refuses messages over 4 MB on older servers; smaller ones cost a round trip each. */
const WRITE_BYTES = 1024 * 1024;

/** @spec containerd@1.6 api/services/content/v1/content.proto */
const messages = messageCodecs({
  Info: "digest:string=1 size:int=2 labels:map=5",
  FieldMask: FIELD_MASK_FIELDS,
  InfoRequest: "digest:string=1",
  InfoResponse: "info:Info=1",
  UpdateRequest: "info:Info=1 updateMask:FieldMask=2",
  WriteRequest:
    "action:int=1 ref:string=2 total:int=3 expected:string=4 offset:int=5 data:bytes=6 labels:map=7",
  WriteResponse: "action:int=1 offset:int=4 total:int=5 digest:string=6",
});

const ACTION_WRITE = 1;
const ACTION_COMMIT = 2;

interface Info {
  readonly digest: string;
  readonly size: number;
  readonly labels: Labels;
}

interface WriteRequest {
  readonly action: number;
  readonly ref: string;
  readonly total: number;
  readonly expected: string;
  readonly offset: number;
  readonly data?: Uint8Array;
  readonly labels?: Labels;
}

const SERVICE = "/containerd.services.content.v1.Content";

const info: Method<{ digest: string }, { info: Info }> = {
  path: `${SERVICE}/Info`,
  request: messages("InfoRequest"),
  response: messages("InfoResponse"),
};

const update: Method<{ info: Partial<Info>; updateMask: { paths: string[] } }, { info: Info }> = {
  path: `${SERVICE}/Update`,
  request: messages("UpdateRequest"),
  response: messages("InfoResponse"),
};

const write: Method<WriteRequest, object> = {
  path: `${SERVICE}/Write`,
  request: messages("WriteRequest"),
  response: messages("WriteResponse"),
};

/**
 * containerd's blobs of one namespace, by digest.
 *
 * Caveat: a blob that no image, snapshot label or lease refers to is garbage as soon as it is written.
 */
export class ContentStore {
  readonly #channel: GrpcChannel;

  constructor(channel: GrpcChannel) {
    this.#channel = channel;
  }

  async has(digest: string): Promise<boolean> {
    try {
      await this.#channel.call(info, { digest });
      return true;
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
  }

  /** Adds labels to a blob that is there. */
  async label(digest: string, labels: Labels): Promise<void> {
    const paths = Object.keys(labels).map((key) => `labels.${key}`);
    if (paths.length > 0)
      await this.#channel.call(update, { info: { digest, labels }, updateMask: { paths } });
  }

  /**
   * Writes a blob and its labels; one that is there already only gets the labels.
   *
   * @throws {RpcError} also when the bytes are not those that the descriptor names: containerd checks the digest.
   */
  async write(
    blob: Descriptor,
    ref: string,
    labels: Labels,
    content: AsyncIterable<Uint8Array>,
  ): Promise<void> {
    const call = this.#channel.converse(write);
    const head = { ref, total: blob.size, expected: blob.digest };
    let offset = 0;
    try {
      for await (const chunk of content)
        for (let from = 0; from < chunk.length; from += WRITE_BYTES) {
          const data = chunk.subarray(from, from + WRITE_BYTES);
          await call.ask({ ...head, action: ACTION_WRITE, offset, data });
          offset += data.length;
        }
      await call.ask({ ...head, action: ACTION_COMMIT, offset, labels });
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
      await this.label(blob.digest, labels);
    } finally {
      call.end();
    }
  }
}
