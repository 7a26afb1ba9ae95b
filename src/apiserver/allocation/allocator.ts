import type { KubeObject } from "../../api/machinery/object.ts";

/**
 * Gives objects of one resource values of which the whole cluster has one set (Service addresses, ports).
 *
 * Flow: `begin` reserves and fills in, synchronously; then the object is validated and committed; then
 * `confirm` is called if that succeeded, and `release` in any case. Values go back when the cache sees the object gone.
 * @throws {StatusError} Invalid, in upstream's words: the value asked for is taken or out of range.
 */
export interface Allocator {
  begin(object: KubeObject, old: KubeObject | undefined, isDryRun: boolean): Reservation;
}

/** Values held for one write that is under way. */
export interface Reservation {
  /** With its values filled in. */
  readonly object: KubeObject;
  /** The write was committed. */
  confirm(): void;
  /** The write was refused or was a dry run. After `confirm` it does nothing. */
  release(): void;
}
