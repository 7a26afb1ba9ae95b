import { keyOf } from "../../api/machinery/object.ts";
import { VolumeAttachment } from "../../api/storage/volume-attachment.ts";
import { defineController, type Controller, type Plan } from "../../reconciler/controller.ts";
import { isBeingDeleted } from "../../reconciler/ownership.ts";

/**
 * What the attacher of a driver does where attaching needs no effect: it says that it is done, and lets go.
 *
 * A driver with a service of its own brings its own attacher, as upstream: then nobody here touches its attachments.
 * @spec kubernetes-csi/external-attacher, trivial handler
 */
export function attacherOf(driver: string): Controller<VolumeAttachment, VolumeAttachment> {
  const finalizer = `external-attacher/${driver.replaceAll(".", "-")}`;
  return defineController<VolumeAttachment, VolumeAttachment>({
    name: `external-attacher-${driver}`,
    primary: VolumeAttachment,
    triggers: [],
    observe: (cache, key) => {
      const attachment = cache.get(VolumeAttachment, key);
      return attachment?.spec.attacher === driver ? attachment : undefined;
    },
    plan: (attachment) => planAttacher(attachment, finalizer),
  });
}

/** The finalizer before anything is attached, and off it when it is detached; pure. */
export function planAttacher(attachment: VolumeAttachment, finalizer: string): Plan {
  const has = attachment.metadata?.finalizers?.includes(finalizer) ?? false;
  const patchFinalizers = (finalizers: object): NonNullable<Plan["writes"]>[number] => ({
    verb: "patch",
    kind: VolumeAttachment,
    key: keyOf(attachment),
    type: "strategic",
    ifUid: attachment.metadata?.uid ?? "",
    patch: { metadata: finalizers },
  });
  if (isBeingDeleted(attachment))
    return has
      ? { writes: [patchFinalizers({ "$deleteFromPrimitiveList/finalizers": [finalizer] })] }
      : {};
  const { attachError: _, ...status } = attachment.status ?? {};
  return {
    ...(!has && { writes: [patchFinalizers({ finalizers: [finalizer] })] }),
    ...(!attachment.status?.attached && { status: { ...status, attached: true } }),
  };
}
