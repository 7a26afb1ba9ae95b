/** Every row of the check list, in its order. */
export function readFeatures(): {
  readonly id: string;
  readonly feature: string;
  readonly observable: string;
}[];
/** Every test that claims rows: file, title and the rows' identifiers. */
export function readClaims(): {
  readonly file: string;
  readonly title: string;
  readonly ids: readonly string[];
}[];
/** The area of a row's identifier: `KC` of `KC-29`. */
export function areaOf(id: string): string;
