/** One thing that is not as it should be. */
export interface Finding {
  /** What, in the system's own words where it has some. */
  readonly problem: string;
  /** What would have to change. */
  readonly remedy?: string;
  /** A command that shows more. */
  readonly more?: string;
}

/** An Event as far as it is read here. */
export interface Happening {
  readonly type?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly lastTimestamp?: string | null;
  readonly eventTime?: string | null;
}

/** The newest of the events with one of these reasons; of equally new ones the last. */
export function newest(
  events: readonly Happening[],
  ...reasons: readonly string[]
): Happening | undefined {
  let found: Happening | undefined;
  for (const event of events) {
    if (!reasons.includes(event.reason ?? "")) continue;
    if (!found || timeOf(event) >= timeOf(found)) found = event;
  }
  return found;
}

/** When it was last seen; empty: it does not say. */
export function timeOf({ lastTimestamp, eventTime }: Happening): string {
  return lastTimestamp || eventTime || "";
}

/** `words` with their reason in front, when there is one. */
export function told(reason: string | undefined, words: string | undefined): string {
  return [reason, words].filter(Boolean).join(": ");
}

/** `kubectl` with `words`, so that it can be pasted: it speaks of objects of this namespace. */
export function commandFor(namespace: string | undefined, words: string): string {
  const isNamed = namespace !== undefined && namespace !== "default";
  return `kubectl ${words}${isNamed ? ` -n ${namespace}` : ""}`;
}

/** As lines of text, indented by `indent`. */
export function findingLines(findings: readonly Finding[], indent = "  "): readonly string[] {
  return findings.flatMap(({ problem, remedy, more }) => [
    `${indent}${problem}`,
    ...(remedy ? [`${indent}  would help: ${remedy}`] : []),
    ...(more ? [`${indent}  see: ${more}`] : []),
  ]);
}
