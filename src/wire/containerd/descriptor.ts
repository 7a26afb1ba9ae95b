/** Names a blob by what it holds. @spec opencontainers/image-spec descriptor.md; containerd types/descriptor.proto */
export interface Descriptor {
  readonly mediaType: string;
  /** `sha256:` and 64 hex digits. */
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
}

/** The message's table, for the services that carry one. */
export const DESCRIPTOR_FIELDS = "mediaType:string=1 digest:string=2 size:int=3";

/** Fields of `google.protobuf.FieldMask`. */
export const FIELD_MASK_FIELDS = "paths:string[]=1";
