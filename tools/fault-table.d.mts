/** One change of a source. */
export interface FaultEdit {
  readonly source: string;
  readonly original: string;
  /** `undefined`: the original text is removed. */
  readonly replacement: string | undefined;
}
/** What takes a behaviour out of the sources. */
export interface Fault {
  readonly rows: readonly string[];
  readonly what: string;
  readonly testFile: string;
  /** `file:line` of its heading. */
  readonly place: string;
  readonly isAlone: boolean;
  readonly disturbs: readonly string[];
  readonly edits: readonly FaultEdit[];
}
/** An edit's place in its source. */
export interface LocatedEdit {
  readonly source: string;
  readonly start: number;
  readonly end: number;
  readonly replacement: string;
}
interface Claim {
  readonly file: string;
  readonly title: string;
  readonly ids: readonly string[];
}
/** Every fault of every table, in their order. */
export function readFaults(): readonly Fault[];
/** The faults of one table's text. @throws {Error} naming the line that is wrong */
export function parseFaults(text: string, table: string): readonly Fault[];
/** Where each edit's original text stands. @throws {Error} the fault does not apply */
export function locateEdits(
  fault: Fault,
  readSource?: (path: string) => string,
): readonly LocatedEdit[];
/** A source's text with edits of it made. */
export function withEdits(text: string, edits: readonly LocatedEdit[]): string;
/** The titles of the tests that must fail with a fault. */
export function titlesOf(
  fault: Fault,
  claims?: readonly Claim[],
  rows?: readonly string[],
): readonly string[];
/** A test's call of `it`, as it is written. Empty when the file has no such test. */
export function testSource(fileText: string, title: string): string;
/** Changes when the fault or a test that must notice it changes. */
export function hashOf(fault: Fault, claims?: readonly Claim[]): string;
/** What was seen, by row, file and hash. */
export function readSeen(): ReadonlyMap<
  string,
  {
    readonly row: string;
    readonly file: string;
    readonly hash: string;
    readonly said: string;
  }
>;
/** Joins faults that do not meet: neither in a test nor in a line of a source. */
export function batchesOf(
  faults: readonly Fault[],
  claims: readonly Claim[],
  sizeMax?: number,
): readonly (readonly { readonly fault: Fault }[])[];
