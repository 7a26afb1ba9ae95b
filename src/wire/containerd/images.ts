import { isAlreadyExists, isNotFound, type GrpcChannel, type Method } from "../grpc/channel.ts";
import { messageCodecs } from "../protobuf/codec.ts";
import { DESCRIPTOR_FIELDS, FIELD_MASK_FIELDS, type Descriptor } from "./descriptor.ts";

/** @spec containerd@1.6 api/services/images/v1/images.proto */
const messages = messageCodecs({
  Descriptor: DESCRIPTOR_FIELDS,
  FieldMask: FIELD_MASK_FIELDS,
  Image: "name:string=1 labels:map=2 target:Descriptor=3",
  NameRequest: "name:string=1",
  ImageRequest: "image:Image=1",
  UpdateRequest: "image:Image=1 updateMask:FieldMask=2",
  ImageResponse: "image:Image=1",
  ListRequest: "filters:string[]=1",
  ListResponse: "images:Image[]=1",
  DeleteRequest: "name:string=1 sync:bool=2",
  Empty: "",
});

/** A name and what it stands for. */
export interface NamedImage {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly target: Descriptor;
}

interface WithImage {
  readonly image: NamedImage;
}

const SERVICE = "/containerd.services.images.v1.Images";

const get: Method<{ name: string }, WithImage> = {
  path: `${SERVICE}/Get`,
  request: messages("NameRequest"),
  response: messages("ImageResponse"),
};

const list: Method<{ filters: string[] }, { images: readonly NamedImage[] }> = {
  path: `${SERVICE}/List`,
  request: messages("ListRequest"),
  response: messages("ListResponse"),
};

const create: Method<WithImage, WithImage> = {
  path: `${SERVICE}/Create`,
  request: messages("ImageRequest"),
  response: messages("ImageResponse"),
};

const update: Method<WithImage & { updateMask: { paths: string[] } }, WithImage> = {
  path: `${SERVICE}/Update`,
  request: messages("UpdateRequest"),
  response: messages("ImageResponse"),
};

const remove: Method<{ name: string; sync: boolean }, object> = {
  path: `${SERVICE}/Delete`,
  request: messages("DeleteRequest"),
  response: messages("Empty"),
};

/** containerd's image names of one namespace. CRI follows their events. */
export class ImageNames {
  readonly #channel: GrpcChannel;

  constructor(channel: GrpcChannel) {
    this.#channel = channel;
  }

  async get(name: string): Promise<NamedImage | undefined> {
    try {
      return (await this.#channel.call(get, { name })).image;
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  async list(): Promise<readonly NamedImage[]> {
    return (await this.#channel.call(list, { filters: [] })).images;
  }

  /** Makes the name, or moves it to this target. */
  async put(image: NamedImage): Promise<void> {
    try {
      await this.#channel.call(create, { image });
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
      await this.#channel.call(update, { image, updateMask: { paths: ["target", "labels"] } });
    }
  }

  /** Takes the name away, and waits until what only it held is collected. A name that is gone is no error. */
  async remove(name: string): Promise<void> {
    try {
      await this.#channel.call(remove, { name, sync: true });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
}
