import type { Clock } from "../../base/clock.ts";
import type { V1Container, V1Pod, V1Secret } from "../../gen/types.ts";
import type { CriClient, Image } from "../../wire/cri/cri-client.ts";
import type { EventRecorder } from "../events.ts";
import { credentialsFor } from "../images/credentials.ts";
import { parseReference, type ImageReference } from "../images/reference.ts";
import { fail, type StepFailure } from "./step-failure.ts";

/**
 * Sees to it that a container's image is on the node, as its pull policy says.
 *
 * @spec k8s@1.36 pkg/kubelet/images/image_manager.go EnsureImageExists
 */
export class ImageEnsurer {
  readonly #cri: CriClient;
  readonly #clock: Clock;
  readonly #recorder: EventRecorder;
  /** By id: what a container's user is checked against. */
  readonly #images = new Map<string, Image>();
  /** By name: questions under way. Many Pods that start at once mostly have the same image. */
  readonly #asked = new Map<string, Promise<Image | undefined>>();

  constructor(cri: CriClient, clock: Clock, recorder: EventRecorder) {
    this.#cri = cri;
    this.#clock = clock;
    this.#recorder = recorder;
  }

  /** The image that was ensured under this id. */
  known(id: string): Image | undefined {
    return this.#images.get(id);
  }

  /** Resolves with the image's id. @throws {StepFailure} with the waiting reason of the status. */
  async ensure(pod: V1Pod, container: V1Container, secrets: readonly V1Secret[]): Promise<string> {
    const text = container.image ?? "";
    const reference = parseReference(text);
    if (typeof reference === "string") {
      const message = `Failed to apply default image tag ${JSON.stringify(text)}: ${reference}`;
      this.#warn(pod, container, "InspectFailed", message);
      throw this.#failed(pod, container, "InvalidImageName", message);
    }
    const present = await this.#present(reference.name);
    const policy = container.imagePullPolicy ?? "IfNotPresent";
    if (policy === "Always" || (policy !== "Never" && !present))
      return this.#pull(pod, container, reference, secrets);
    const quoted = JSON.stringify(text);
    if (!present) {
      const message = `Container image ${quoted} is not present with pull policy of Never`;
      this.#warn(pod, container, "ErrImageNeverPull", message);
      throw this.#failed(pod, container, "ErrImageNeverPull", message);
    }
    const message = `Container image ${quoted} already present on machine and can be accessed by the pod`;
    this.#recorder.pod(pod, "Normal", "Pulled", message, container.name);
    return this.#remember(present);
  }

  #present(name: string): Promise<Image | undefined> {
    const asked =
      this.#asked.get(name) ??
      this.#cri.imageStatus(name).finally(() => {
        this.#asked.delete(name);
      });
    this.#asked.set(name, asked);
    return asked;
  }

  async #pull(
    pod: V1Pod,
    container: V1Container,
    reference: ImageReference,
    secrets: readonly V1Secret[],
  ): Promise<string> {
    const quoted = JSON.stringify(container.image);
    this.#recorder.pod(pod, "Normal", "Pulling", `Pulling image ${quoted}`, container.name);
    const start = this.#clock.monotonic();
    try {
      await this.#pullWithAny(reference, secrets);
      const image = await this.#cri.imageStatus(reference.name);
      if (!image) throw new Error(`image ${quoted} is missing after its pull`);
      const took = formatElapsed(this.#clock.monotonic() - start);
      const message =
        `Successfully pulled image ${quoted} in ${took} (${took} including waiting). ` +
        `Image size: ${image.size} bytes.`;
      this.#recorder.pod(pod, "Normal", "Pulled", message, container.name);
      return this.#remember(image);
    } catch (error) {
      const message = (error as Error).message;
      this.#warn(pod, container, "Failed", `Failed to pull image ${quoted}: ${message}`);
      throw this.#failed(pod, container, "ErrImagePull", message);
    }
  }

  /** Every fitting credential is tried, then none; the last refusal counts. */
  async #pullWithAny(reference: ImageReference, secrets: readonly V1Secret[]): Promise<void> {
    let refusal: unknown;
    const credentials = credentialsFor(reference, secrets);
    for (const auth of credentials.length > 0 ? credentials : [undefined]) {
      try {
        await this.#cri.pullImage(reference.name, auth);
        return;
      } catch (error) {
        refusal = error;
      }
    }
    throw refusal;
  }

  #remember(image: Image): string {
    this.#images.set(image.id, image);
    return image.id;
  }

  #warn(pod: V1Pod, container: V1Container, reason: string, message: string): void {
    this.#recorder.pod(pod, "Warning", reason, message, container.name);
  }

  #failed(pod: V1Pod, container: V1Container, reason: string, message: string): StepFailure {
    this.#warn(pod, container, "Failed", `Error: ${reason}`);
    return fail(reason, message);
  }
}

/** `153ms`, `1.204s`: as Go prints a duration, to the millisecond. */
function formatElapsed(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)}ms` : `${Math.round(ms) / 1000}s`;
}
