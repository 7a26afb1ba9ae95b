import type {
  V1PersistentVolumeSpec,
  V1VolumeAttachment,
  V1VolumeAttachmentSource,
  V1VolumeAttachmentSpec,
  V1VolumeAttachmentStatus,
  V1VolumeError,
} from "../../gen/types.ts";
import { validateAccessModes } from "../core/persistent-volume-claim-validation.ts";
import { equalSemantic } from "../machinery/equality.ts";
import { forbidden, invalid, required, tooLong } from "../machinery/field-error.ts";
import type { Kind } from "../machinery/kind.ts";
import { validateDnsSubdomain } from "../machinery/names.ts";
import { FIELD_IMMUTABLE } from "../machinery/object-meta-validation.ts";
import { sameForm } from "../machinery/older-version.ts";
import type { Column, Resource } from "../machinery/resource.ts";
import { invalids, maybe, when, INT32_MAX, type Errors } from "../strategy/checks.ts";
import { ageColumn, nameColumn, textColumn } from "../strategy/columns.ts";
import { statusStrategy, statusSubresource, withField } from "../strategy/strategy.ts";
import { bytesOf, validateDriverName } from "./driver-rules.ts";

export type VolumeAttachment = V1VolumeAttachment;

export const VolumeAttachment: Kind<VolumeAttachment> = {
  group: "storage.k8s.io",
  version: "v1",
  kind: "VolumeAttachment",
  plural: "volumeattachments",
  isNamespaced: false,
};

/** Bytes of what a driver says of an attachment, and of an error. @spec k8s@1.36 pkg/apis/storage/validation */
const METADATA_BYTES_MAX = 256 * 1024;
const MESSAGE_BYTES_MAX = 1024;

/** @spec k8s@1.36 pkg/registry/storage/volumeattachment/strategy.go */
export const volumeAttachmentResource: Resource<VolumeAttachment> = {
  kind: VolumeAttachment,
  singular: "volumeattachment",
  strategy: statusStrategy<VolumeAttachment>(
    { initialStatus: { attached: false }, countsGenerations: false },
    {
      validate,
      validateChange: ({ spec }, old) =>
        when(!equalSemantic(spec, old.spec), invalid("spec", spec, FIELD_IMMUTABLE)),
      allowsUnconditionalUpdate: false,
    },
  ),
  subresources: { status: statusSubresource<VolumeAttachment>(validate, withMetadataOf) },
  olderVersions: [
    sameForm(VolumeAttachment, "v1beta1", "1.19", "1.22"),
    sameForm(VolumeAttachment, "v1alpha1", "1.21", "1.24"),
  ],
  columns: [
    nameColumn(),
    textColumn("Attacher", "Whose volume it is", ({ spec }) => spec?.attacher ?? ""),
    textColumn(
      "PV",
      "The volume that is attached",
      ({ spec }) => spec?.source?.persistentVolumeName ?? "",
    ),
    textColumn("Node", "The node that it is attached to", ({ spec }) => spec?.nodeName ?? ""),
    attachedColumn(),
    ageColumn(),
  ],
};

/** Through the status endpoint nothing of the metadata changes but the version. @spec apimachinery ResetObjectMetaForStatus */
function withMetadataOf(one: VolumeAttachment, old: VolumeAttachment): VolumeAttachment {
  const { resourceVersion, managedFields } = one.metadata ?? {};
  const versioned = withField({ ...old.metadata }, "resourceVersion", resourceVersion);
  return { ...one, metadata: withField(versioned, "managedFields", managedFields) };
}

function attachedColumn(): Column<VolumeAttachment> {
  return {
    name: "Attached",
    type: "boolean",
    description: "Whether it has been attached",
    priority: 0,
    cell: ({ status }) => status?.attached ?? false,
  };
}

/** @spec k8s@1.36 pkg/apis/storage/validation ValidateVolumeAttachment, ValidateVolumeAttachmentV1 */
function validate({ spec, status }: VolumeAttachment): Errors {
  const { attacher = "", nodeName = "", source } = spec ?? ({} as Partial<V1VolumeAttachmentSpec>);
  const volume = source?.persistentVolumeName;
  return [
    ...when(attacher === "", required("spec.attacher")),
    ...validateSource(source ?? {}),
    ...invalids("spec.nodeName", nodeName, validateDnsSubdomain(nodeName)),
    ...validateStatus(status),
    ...validateDriverName(attacher, "spec.attacher"),
    ...maybe(volume, (name) =>
      invalids("spec.source.persistentVolumeName", name, validateDnsSubdomain(name)),
    ),
  ];
}

function validateSource(source: V1VolumeAttachmentSource): Errors {
  const { inlineVolumeSpec: inline, persistentVolumeName: name } = source;
  const rule = "must specify exactly one of inlineVolumeSpec and persistentVolumeName";
  if (!inline && name === undefined) return [required("spec.source", rule)];
  if (inline && name !== undefined) return [forbidden("spec.source", rule)];
  if (inline) return validateInline(inline, "spec.source.inlineVolumeSpec");
  const detail = "must specify non empty persistentVolumeName";
  return when(name === "", required("spec.source.persistentVolumeName", detail));
}

/** Volumes of Pods from before drivers, as a driver sees them. @spec pkg/apis/core/validation ValidatePersistentVolumeSpec */
function validateInline(spec: V1PersistentVolumeSpec, path: string): Errors {
  const context = "in the context of inline volumes";
  const barred = [
    "claimRef",
    "capacity",
    "persistentVolumeReclaimPolicy",
    "nodeAffinity",
    "storageClassName",
    "volumeMode",
  ] as const;
  return [
    ...barred.flatMap((field) =>
      when(
        spec[field] !== undefined,
        forbidden(`${path}.${field}`, `may not be specified ${context}`),
      ),
    ),
    ...when(!spec.csi, required(`${path}.csi`, `has to be specified ${context}`)),
    ...validateAccessModes(spec.accessModes ?? [], `${path}.accessModes`, ""),
    ...maybe(spec.csi, ({ driver = "", volumeHandle }) => [
      ...validateDriverName(driver, `${path}.csi.driver`),
      ...when(!volumeHandle, required(`${path}.csi.volumeHandle`)),
    ]),
  ];
}

function validateStatus(status: V1VolumeAttachmentStatus | undefined): Errors {
  const { attachmentMetadata = {}, attachError, detachError } = status ?? {};
  return [
    ...when(
      bytesOf(Object.entries(attachmentMetadata)) > METADATA_BYTES_MAX,
      tooLong("status.attachmentMetadata", METADATA_BYTES_MAX),
    ),
    ...maybe(attachError, (error) => validateError(error, "status.attachError")),
    ...maybe(detachError, (error) => validateError(error, "status.detachError")),
  ];
}

/** Upstream names another bound than the one it keeps. */
function validateError({ message = "", errorCode = 0 }: V1VolumeError, field: string): Errors {
  const range = `must be between 0 and ${INT32_MAX}, inclusive`;
  return [
    ...when(
      Buffer.byteLength(message) > MESSAGE_BYTES_MAX,
      tooLong(`${field}.message`, METADATA_BYTES_MAX),
    ),
    ...when(errorCode < 0, invalid(`${field}.errorCode`, errorCode, range)),
  ];
}
