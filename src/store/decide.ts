import { assert } from "../base/assert.ts";
import type { Head, LogEntry } from "./backend.ts";
import {
  KEY_BYTES_MAX,
  SEAL_BYTES_MAX,
  VALUE_BYTES_MAX,
  WRITES_MAX,
  type Revision,
  type Write,
} from "./store.ts";

/** What a commit does. `accepted` without entries changes nothing and takes no revision. */
export type Decision =
  | { readonly kind: "accepted"; readonly entries: readonly LogEntry[] }
  | { readonly kind: "refused"; readonly key: string };

/** Decides a commit that would become `revision`, from the newest version of each key it names. */
export function decide(
  writes: readonly Write[],
  newest: (key: string) => Head | undefined,
  revision: Revision,
): Decision {
  const entries: LogEntry[] = [];
  for (const write of writes) {
    const head = newest(write.key);
    const live = head && !head.isDeleted ? head : undefined;
    if (write.expect !== undefined && write.expect !== (live?.position.revision ?? 0))
      return { kind: "refused", key: write.key };
    if (write.kind === "delete" && !live) continue;
    entries.push({
      kind: write.kind,
      key: write.key,
      position: { revision, sub: entries.length },
      ...(head && { previous: head.position }),
      createRevision: live?.createRevision ?? revision,
      ...(write.kind === "put" && { value: write.value }),
    });
  }
  return { kind: "accepted", entries };
}

/** Crashes the caller of a commit that breaks the contract's bounds. @returns whether its keys are volatile. */
export function checkWrites(
  writes: readonly Write[],
  isVolatile: (key: string) => boolean,
): boolean {
  assert(
    writes.length > 0 && writes.length <= WRITES_MAX,
    `a commit has 1 to ${WRITES_MAX} writes, not ${writes.length}`,
  );
  const first = isVolatile(writes[0]!.key);
  const keys = new Set<string>();
  for (const write of writes) {
    const bytes = Buffer.byteLength(write.key);
    assert(bytes > 0 && bytes <= KEY_BYTES_MAX, `a key has 1 to ${KEY_BYTES_MAX} bytes`);
    assert(!keys.has(write.key), `a commit writes ${write.key} twice`);
    assert(isVolatile(write.key) === first, "a commit mixes volatile and durable keys");
    assert(
      write.kind === "delete" || write.value.length <= VALUE_BYTES_MAX + SEAL_BYTES_MAX,
      `the value of ${write.key} is over ${VALUE_BYTES_MAX} bytes`,
    );
    keys.add(write.key);
  }
  return first;
}
