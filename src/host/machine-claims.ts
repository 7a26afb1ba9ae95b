import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { makeFolder, readIfPresent, writeAtomically } from "./files.ts";
import { overlap, type Ranges } from "./ranges.ts";

/**
 * What a cluster holds of the machine that no two can have, whoever's they are.
 *
 * Why a note, and not only what the machine shows: bridge, port and routes appear up to a second after they were chosen,
 * and in that second another cluster would choose the same.
 * @invariant written and read under the machine's lock; it goes with the cluster's folder of sockets.
 */
export interface MachineClaim {
  /** State folder of the cluster. */
  readonly state: string;
  readonly apiPort: number;
  readonly ranges: Ranges;
}

/** Name of a cluster's note, in its folder of sockets. */
const CLAIM = "claim.json";

/** Notes what a cluster holds. `socketFolder`: the cluster's. */
export function writeClaim(socketFolder: string, claim: MachineClaim): void {
  makeFolder(socketFolder);
  writeAtomically(join(socketFolder, CLAIM), `${JSON.stringify(claim)}\n`);
}

/** What clusters other than that of `state` hold. `sockets`: the folder of all clusters' socket folders. */
export function claimsOfOthers(sockets: string, state: string): readonly MachineClaim[] {
  if (!existsSync(sockets)) return [];
  const folders = readdirSync(sockets, { withFileTypes: true }).filter((e) => e.isDirectory());
  return folders.flatMap(({ name }) => {
    const claim = parse(readIfPresent(join(sockets, name, CLAIM)));
    // A cluster whose state was removed by hand holds nothing any more.
    return claim !== undefined && claim.state !== state && existsSync(claim.state) ? [claim] : [];
  });
}

/**
 * The ranges of which the machine has one routing table. Service ranges are not among them: they mean something only
 * inside of the nodes.
 */
export function routedOf({ nodeCidr, podCidr }: Ranges): readonly string[] {
  return [nodeCidr, podCidr];
}

/**
 * `isNew`: it is being made, and can still be given something else.
 * @throws {Error} another cluster that was not stopped holds the port or a range that a new one was asked to have, or a stored
 *         one keeps; says whose it is and what to do.
 */
export function checkClaim(
  own: MachineClaim,
  others: readonly MachineClaim[],
  isNew: boolean,
): void {
  const advise = (flags: string): string =>
    isNew ? `choose another with ${flags}` : "stop that one, or 'skiff delete' this one";
  for (const { state, apiPort, ranges } of others) {
    const holder = `the cluster in ${state}`;
    if (apiPort === own.apiPort)
      throw new Error(
        `port ${own.apiPort} of this cluster is also that of ${holder}: ` +
          advise("--api-port PORT, or leave the flag out for the next free one"),
      );
    for (const range of routedOf(own.ranges)) {
      const taken = routedOf(ranges).find((cidr) => overlap(cidr, range));
      if (taken !== undefined)
        throw new Error(
          `range ${range} of this cluster overlaps with ${taken} of ${holder}: ` +
            advise("--node-cidr and --pod-cidr"),
        );
    }
  }
}

function parse(text: string | undefined): MachineClaim | undefined {
  try {
    return text === undefined ? undefined : (JSON.parse(text) as MachineClaim);
  } catch {
    return undefined;
  }
}
