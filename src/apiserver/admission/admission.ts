import type { KubeObject } from "../../api/machinery/object.ts";
import type { AdmissionCall } from "../request.ts";

/**
 * One admission plugin. All `admit`s run in the order of the list, then validation, then all `validate`s.
 *
 * Plugins read the server's own cache and never wait on the network.
 * @throws {StatusError} refused; upstream's words.
 */
export interface AdmissionPlugin {
  /** Upstream's plugin name: `NamespaceLifecycle`. */
  readonly name: string;
  handles(call: AdmissionCall): boolean;
  /**
   * Waits, for a bounded time, until the cache shows what `admit` will look for; `undefined`: no need. Called for
   * creates, with the object as it came, before the part of a write that may not wait. Never throws, decides nothing.
   */
  prepare?(call: AdmissionCall): Promise<void> | undefined;
  /** Returns the object to go on with. */
  admit?(call: AdmissionCall): KubeObject | undefined;
  validate?(call: AdmissionCall): void;
}
