import type { PodTemplate } from "./pod-from-template.ts";

/** Letters that form no words. @spec apimachinery util/rand alphanums */
const ALPHABET = "bcdfghjklmnpqrstvwxz2456789";
const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/**
 * The `pod-template-hash` of a template: 32-bit FNV-1a of the template's content, its decimal digits safely encoded.
 *
 * The content is canonical JSON (sorted keys, nothing void), so values differ from upstream's, which hashes a dump of
 * Go structures; form and length are the same, and nothing compares hashes of two clusters.
 * @param collisionCount changes the hash when another ReplicaSet has its name.
 * @spec k8s@1.36 pkg/controller/controller_utils.go ComputeHash
 */
export function templateHash(template: PodTemplate, collisionCount: number | undefined): string {
  let hash = fnv1a(FNV_OFFSET, Buffer.from(canonical(template)));
  if (collisionCount !== undefined) {
    const bytes = Buffer.alloc(8);
    bytes.writeUInt32LE(collisionCount);
    hash = fnv1a(hash, bytes);
  }
  return [...String(hash)].map((digit) => ALPHABET[digit.charCodeAt(0) % ALPHABET.length]).join("");
}

function fnv1a(start: number, bytes: Uint8Array): number {
  let hash = start;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, FNV_PRIME) >>> 0;
  return hash;
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const fields = Object.entries(value)
    .filter(([, item]) => item !== undefined && item !== null)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, item]) => `${JSON.stringify(key)}:${canonical(item)}`);
  return `{${fields.join(",")}}`;
}
