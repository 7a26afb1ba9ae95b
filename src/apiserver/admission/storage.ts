import type { PersistentVolumeClaim } from "../../api/core/persistent-volume-claim.ts";
import { storageClassOf } from "../../api/core/persistent-volume-claim.ts";
import type { KubeObject } from "../../api/machinery/object.ts";
import { compareQuantities, parseQuantity } from "../../api/machinery/quantity.ts";
import { CLAIM_PROTECTION, hasClass, VOLUME_PROTECTION } from "../../api/storage/binding.ts";
import { defaultClassOf, StorageClass } from "../../api/storage/storage-class.ts";
import type { CacheReader } from "../../client/cache.ts";
import type { AdmissionCall } from "../request.ts";
import type { AdmissionPlugin } from "./admission.ts";
import { isAbout, refuse } from "./refusal.ts";

/**
 * Gives a claim that names no class the default one, if there is one.
 *
 * @spec k8s@1.36 plugin/pkg/admission/storage/storageclass/setdefault
 */
export class DefaultStorageClass implements AdmissionPlugin {
  readonly name = "DefaultStorageClass";
  readonly #cache: CacheReader;

  constructor(cache: CacheReader) {
    this.#cache = cache;
  }

  handles(call: AdmissionCall): boolean {
    return call.operation === "CREATE" && isAbout(call, "persistentvolumeclaims");
  }

  admit(call: AdmissionCall): KubeObject | undefined {
    const claim = call.object as PersistentVolumeClaim;
    if (hasClass(claim)) return undefined;
    const name = defaultClassOf(this.#cache.list(StorageClass))?.metadata?.name;
    return name === undefined
      ? undefined
      : ({ ...claim, spec: { ...claim.spec, storageClassName: name } } as KubeObject);
  }
}

const FINALIZERS: Readonly<Record<string, string>> = {
  persistentvolumeclaims: CLAIM_PROTECTION,
  persistentvolumes: VOLUME_PROTECTION,
};

/**
 * New claims and volumes are kept while they are used: their controllers take the finalizer off.
 *
 * @spec k8s@1.36 plugin/pkg/admission/storage/storageobjectinuseprotection
 */
export const storageObjectInUseProtection: AdmissionPlugin = {
  name: "StorageObjectInUseProtection",

  handles: (call) =>
    call.operation === "CREATE" &&
    call.info.group === "" &&
    call.info.subresource === "" &&
    Object.hasOwn(FINALIZERS, call.info.plural),

  admit(call: AdmissionCall): KubeObject | undefined {
    const finalizer = FINALIZERS[call.info.plural]!;
    const { metadata } = call.object!;
    const finalizers = metadata?.finalizers ?? [];
    if (finalizers.includes(finalizer)) return undefined;
    return {
      ...call.object!,
      metadata: { ...metadata, finalizers: [...finalizers, finalizer] },
    };
  },
};

/**
 * A claim grows only when it has its volume and its class allows it.
 *
 * @spec k8s@1.36 plugin/pkg/admission/storage/persistentvolume/resize
 */
export class PersistentVolumeClaimResize implements AdmissionPlugin {
  readonly name = "PersistentVolumeClaimResize";
  readonly #cache: CacheReader;

  constructor(cache: CacheReader) {
    this.#cache = cache;
  }

  handles(call: AdmissionCall): boolean {
    return call.operation === "UPDATE" && isAbout(call, "persistentvolumeclaims");
  }

  validate(call: AdmissionCall): void {
    const claim = call.object as PersistentVolumeClaim;
    const old = call.old as PersistentVolumeClaim;
    if (compareQuantities(sizeOf(claim), sizeOf(old)) <= 0) return;
    if (old.status?.phase !== "Bound")
      throw refuse(call, "Only bound persistent volume claims can be expanded");
    if (!this.#mayGrow(claim, old))
      throw refuse(
        call,
        "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize",
      );
  }

  #mayGrow(claim: PersistentVolumeClaim, old: PersistentVolumeClaim): boolean {
    const name = storageClassOf(claim);
    if (name === "" || name !== storageClassOf(old)) return false;
    const found = this.#cache.get(StorageClass, { namespace: "", name });
    return found?.allowVolumeExpansion ?? false;
  }
}

/** Both objects are valid by now. */
function sizeOf({ spec }: PersistentVolumeClaim): ReturnType<typeof parseQuantity> {
  return parseQuantity(spec?.resources?.requests?.["storage"] ?? "0");
}
