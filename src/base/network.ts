/**
 * The link between two parties of one cluster, for calls that stay in the process. The direct one just delivers;
 * the simulation's delays, drops, repeats and cuts.
 *
 * Sockets are not its business: they exist only in `wire`, and the simulation opens none.
 */
export interface Network {
  /**
   * Carries one call of `from` to `to` and its answer back.
   *
   * @throws {Unreachable} the call or its answer was lost: the callee may or may not have run.
   */
  carry<T>(from: string, to: string, deliver: () => Promise<T>): Promise<T>;
}

/** The call or its answer was lost on the way. Normal; whoever called retries. */
export class Unreachable extends Error {
  override readonly name = "Unreachable";
}

/** Delivers every call at once. */
export const directNetwork: Network = {
  carry: (_from, _to, deliver) => deliver(),
};
