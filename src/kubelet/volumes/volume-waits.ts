import type { Instant } from "../../base/clock.ts";
import type { FoundVolumes } from "../claimed-volumes.ts";

/** How long a Pod waits for its volumes before an event tells of it. @spec k8s@1.36 pkg/kubelet/volumemanager podAttachAndMountTimeout */
const WAIT_MS_MAX = 123_000;
/** Between two events of one problem; about what upstream's Pod worker waits before it tries again. Doubled, counts rise half as fast. */
const TELL_MS_MIN = 10_000;

interface Wait {
  readonly since: Instant;
  /** What was told last, and when. */
  readonly told?: { readonly message: string; readonly at: Instant };
}

/** Which of a Pod's volumes it waits for. */
export type Missing = Pick<FoundVolumes, "unprocessed" | "unattached">;

/** Remembers since when Pods wait for volumes, and says when an event is due. */
export class VolumeWaits {
  readonly #waits = new Map<string, Wait>();

  /** @returns the event's message, when one is due. */
  note(uid: string, missing: Missing, now: Instant): string | undefined {
    const wait = this.#waits.get(uid) ?? { since: now };
    this.#waits.set(uid, wait);
    if (missing.unprocessed.length === 0) {
      if (now - wait.since < WAIT_MS_MAX) return undefined;
      this.#waits.set(uid, { since: now });
      return waitMessage(missing);
    }
    const message = waitMessage(missing);
    const isNews = wait.told?.message !== message || now - wait.told.at >= TELL_MS_MIN;
    if (!isNews) return undefined;
    this.#waits.set(uid, { ...wait, told: { message, at: now } });
    return message;
  }

  /** The Pod waits no more. */
  forget(uid: string): void {
    this.#waits.delete(uid);
  }
}

/** True when the Pod has to wait. */
export function isMissing({ unprocessed, unattached }: Missing): boolean {
  return unprocessed.length + unattached.length > 0;
}

/**
 * What an event says of volumes that are waited for.
 *
 * Upstream's kubelet keeps silent about those that are merely not attached yet; here the one event after two minutes says so, in the words
 * it had before.
 * @spec k8s@1.36 pkg/kubelet/volumemanager/volume_manager.go WaitForAttachAndMount
 */
export function waitMessage({ unprocessed, unattached }: Missing): string {
  const names = unprocessed.map(({ volume }) => volume);
  const reasons = unprocessed.map(({ message }) => message).join("; ");
  return (
    `Unable to attach or mount volumes: unmounted volumes=[${[...names, ...unattached].join(" ")}], ` +
    `unattached volumes=[${unattached.join(" ")}], failed to process volumes=[${names.join(" ")}]: ` +
    (reasons || "timed out waiting for the condition")
  );
}
