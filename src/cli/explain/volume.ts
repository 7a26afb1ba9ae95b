import { claimNamesOf } from "../../api/storage/binding.ts";
import type { V1PersistentVolume, V1PersistentVolumeClaim, V1Pod } from "../../gen/types.ts";
import { commandFor, newest, told, type Finding, type Happening } from "./finding.ts";

/** What is said of a claim or a volume beyond its events. */
export interface StorageExplanation {
  readonly summary: string;
  readonly findings: readonly Finding[];
}

/** Why a claim has no volume yet, or does not go. `pods`: those of its namespace. Pure. */
export function explainClaim(
  { metadata, spec, status }: V1PersistentVolumeClaim,
  pods: readonly V1Pod[],
  events: readonly Happening[],
): StorageExplanation {
  const users = pods
    .filter((pod) => !isEnded(pod) && claimNamesOf(pod).includes(metadata?.name ?? ""))
    .map((pod) => pod.metadata?.name ?? "")
    .sort();
  if (metadata?.deletionTimestamp) {
    if (users.length === 0) return leaving(metadata.finalizers);
    return {
      summary: "It is being deleted, and stays while Pods use it.",
      findings: [
        {
          problem: `used by ${users.join(", ")}`,
          remedy: commandFor(metadata.namespace, `delete pod ${users.join(" ")}`),
        },
      ],
    };
  }
  if (status?.phase === "Bound") {
    const whose = users.length === 0 ? "no Pod uses it" : `${users.join(", ")} use it`;
    return { summary: `It has the volume ${spec?.volumeName}; ${whose}.`, findings: [] };
  }
  if (status?.phase === "Lost")
    return {
      summary: `Its volume ${spec?.volumeName} is gone, and the data with it.`,
      findings: [],
    };
  const event = newest(events, ...Object.keys(WAITS));
  const remedy = WAITS[event?.reason ?? ""]?.(spec?.storageClassName, event?.message ?? "");
  return {
    summary: "It has no volume yet.",
    findings: event
      ? [{ problem: told(event.reason, event.message), ...(remedy && { remedy }) }]
      : [],
  };
}

/** What a claim waits for, by the reason of its newest event; `undefined`: its message says it. */
const WAITS: Readonly<
  Record<string, (className: string | undefined, message: string) => string | undefined>
> = {
  FailedBinding: () =>
    "a PersistentVolume of its class, size and access modes, or a claim of a class that makes volumes (kubectl get storageclass)",
  WaitForFirstConsumer: () => "a Pod that uses it: its class makes volumes where the Pod goes",
  WaitForPodScheduled: () => "the Pod that uses it would have to find a node: skiff why pod/NAME",
  ExternalProvisioning: (name) =>
    `the provisioner of its class would have to run: kubectl get storageclass ${name ?? ""}`.trim(),
  // Whoever makes volumes gives this reason for whatever goes wrong.
  ProvisioningFailed: (_name, message) =>
    /\bstorageclass\S* "[^"]*" not found$/.test(message)
      ? "a class that there is: kubectl get storageclass"
      : undefined,
};

/** What becomes of a volume, and what would have to happen. Pure. */
export function explainVolume({ metadata, spec, status }: V1PersistentVolume): StorageExplanation {
  const { namespace, name, uid } = spec?.claimRef ?? {};
  const claim = `${namespace}/${name}`;
  const policy = spec?.persistentVolumeReclaimPolicy ?? "Retain";
  if (metadata?.deletionTimestamp && status?.phase === "Bound")
    return {
      summary: `It is being deleted, and stays until its claim ${claim} is gone.`,
      findings: [
        { problem: `${claim} has it`, remedy: commandFor(namespace, `delete pvc ${name}`) },
      ],
    };
  if (metadata?.deletionTimestamp && status?.phase !== "Released")
    return leaving(metadata.finalizers);
  switch (status?.phase) {
    case "Bound":
      return { summary: `The claim ${claim} has it.`, findings: [] };
    case "Available":
      return { summary: "No claim has it yet.", findings: [] };
    case "Released":
      return policy === "Delete"
        ? {
            summary: `Its claim ${claim} is gone, and it is being deleted with its data.`,
            findings: [],
          }
        : {
            summary: `Its claim ${claim} is gone; by its policy ${policy} it stays, with its data, for nobody else.`,
            findings: [{ problem: "no claim can have it", remedy: reuse(metadata?.name ?? "") }],
          };
    case "Failed":
      // Never given to a claim, or it would have its uid.
      if (!uid)
        return {
          summary: "It can be nobody's.",
          findings: [
            {
              problem: told(status.reason, status.message),
              remedy: `kubectl delete pv ${metadata?.name}, and another in its place`,
            },
          ],
        };
      return {
        summary: `Its claim ${claim} is gone, and it could not be ${policy === "Recycle" ? "emptied" : "deleted"}.`,
        findings: [
          {
            problem: told(status.reason, status.message),
            remedy: `kubectl delete pv ${metadata?.name}, and its data by hand`,
          },
        ],
      };
    default:
      return { summary: "It is not known yet.", findings: [] };
  }
}

function reuse(name: string): string {
  const patch = `[{"op":"remove","path":"/spec/claimRef"}]`;
  return `kubectl patch pv ${name} --type=json -p '${patch}' offers it again; kubectl delete pv ${name} forgets it and leaves the data`;
}

/** Of an object that is being deleted, and of which nothing better is known. */
export function leaving(finalizers: readonly string[] | undefined): StorageExplanation {
  const rest = finalizers ?? [];
  return {
    summary: "It is being deleted.",
    findings:
      rest.length === 0
        ? []
        : [
            {
              problem: `it waits for who put the finalizer${rest.length > 1 ? "s" : ""} ${rest.join(", ")} on it`,
            },
          ],
  };
}

function isEnded({ status }: V1Pod): boolean {
  return status?.phase === "Succeeded" || status?.phase === "Failed";
}
