import { isAlreadyExists, isNotFound, type GrpcChannel, type Method } from "../grpc/channel.ts";
import { messageCodecs } from "../protobuf/codec.ts";
import { DESCRIPTOR_FIELDS, type Descriptor } from "./descriptor.ts";

/** @spec containerd@1.6 api/services/snapshots/v1/snapshots.proto, api/services/diff/v1/diff.proto */
const messages = messageCodecs({
  Descriptor: DESCRIPTOR_FIELDS,
  Mount: "type:string=1 source:string=2 target:string=3 options:string[]=4",
  PrepareRequest: "snapshotter:string=1 key:string=2 parent:string=3 labels:map=4",
  PrepareResponse: "mounts:Mount[]=1",
  CommitRequest: "snapshotter:string=1 name:string=2 key:string=3 labels:map=4",
  KeyRequest: "snapshotter:string=1 key:string=2",
  ApplyRequest: "diff:Descriptor=1 mounts:Mount[]=2",
  ApplyResponse: "applied:Descriptor=1",
  Empty: "",
});

interface Mount {
  readonly type: string;
  readonly source: string;
  readonly target: string;
  readonly options: readonly string[];
}

interface ByKey {
  readonly snapshotter: string;
  readonly key: string;
}

const SERVICE = "/containerd.services.snapshots.v1.Snapshots";

const prepare: Method<ByKey & { parent: string }, { mounts: readonly Mount[] }> = {
  path: `${SERVICE}/Prepare`,
  request: messages("PrepareRequest"),
  response: messages("PrepareResponse"),
};

const commit: Method<ByKey & { name: string }, object> = {
  path: `${SERVICE}/Commit`,
  request: messages("CommitRequest"),
  response: messages("Empty"),
};

const stat: Method<ByKey, object> = {
  path: `${SERVICE}/Stat`,
  request: messages("KeyRequest"),
  response: messages("Empty"),
};

const remove: Method<ByKey, object> = {
  path: `${SERVICE}/Remove`,
  request: messages("KeyRequest"),
  response: messages("Empty"),
};

const apply: Method<
  { diff: Descriptor; mounts: readonly Mount[] },
  { applied: { digest: string } }
> = {
  path: "/containerd.services.diff.v1.Diff/Apply",
  request: messages("ApplyRequest"),
  response: messages("ApplyResponse"),
};

/** The layers unpacked by one of containerd's snapshotters (`overlayfs`, `native` …). */
export class Snapshotter {
  readonly name: string;
  readonly #channel: GrpcChannel;

  constructor(channel: GrpcChannel, name: string) {
    this.#channel = channel;
    this.name = name;
  }

  async has(key: string): Promise<boolean> {
    try {
      await this.#channel.call(stat, { snapshotter: this.name, key });
      return true;
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
  }

  /**
   * Unpacks one layer upon `parent` ("": none) as the snapshot `name`, by way of the temporary `key`.
   *
   * @throws {Error} the layer's content is not `diffId`; nothing is left behind.
   */
  async unpack(
    layer: Descriptor,
    diffId: string,
    parent: string,
    name: string,
    key: string,
  ): Promise<void> {
    const snapshotter = this.name;
    const { mounts } = await this.#channel.call(prepare, { snapshotter, key, parent });
    try {
      const { applied } = await this.#channel.call(apply, { diff: layer, mounts });
      if (applied.digest !== diffId)
        throw new Error(`layer ${layer.digest} unpacks to ${applied.digest}, expected ${diffId}`);
      await this.#channel.call(commit, { snapshotter, key, name });
    } catch (error) {
      await this.#channel.call(remove, { snapshotter, key }).catch(() => {});
      if (!isAlreadyExists(error)) throw error;
    }
  }
}
