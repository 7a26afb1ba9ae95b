import type { Kind } from "../api/machinery/kind.ts";

/** The kinds that the server serves now. Definitions of custom resources make them come and go. */
export interface ServedKinds {
  current(): readonly Kind[];
  /** Called after {@link current} has changed. @returns ends the calls. */
  onChange(listener: () => void): () => void;
}

/** Kinds that never change. */
export function fixedKinds(kinds: readonly Kind[]): ServedKinds {
  return { current: () => kinds, onChange: () => () => {} };
}
