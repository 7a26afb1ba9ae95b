import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { writeAtomically } from "./files.ts";
import type { Ranges } from "./ranges.ts";

/** Version of the layout of the state folder. Raised when an older Skiff could not use it. */
export const STATE_SCHEMA_VERSION = 1;

/** `cluster.json`: what a cluster is, as far as the machine has to know. */
export interface ClusterFile {
  readonly schemaVersion: number;
  readonly name: string;
  readonly apiPort: number;
  readonly ranges: Ranges;
  readonly nodes: readonly ClusterNode[];
  /** What the machine's own network namespace was given, to be given back by `delete`. */
  readonly given: GivenToMachine;
  /** Users' kubeconfigs that were given the cluster's context. */
  readonly kubeconfigs?: readonly string[];
  readonly datastoreEndpoint?: string;
  /** `scheduler.yaml` lies beside this file. */
  readonly hasSchedulerConfig?: boolean;
}

export interface ClusterNode {
  readonly name: string;
  readonly ip: string;
}

export interface GivenToMachine {
  readonly bridge: string;
  readonly table: string;
  /** Mount points made on the machine because nodes mount over them; removed with the last cluster when empty. */
  readonly folders: readonly string[];
}

/**
 * Reads a cluster's file.
 *
 * @returns `undefined` when there is no such cluster.
 * @throws {Error} damaged, or written by a newer Skiff; the message names the file and what to do.
 */
export function readClusterFile(path: string): ClusterFile | undefined {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  const file = parse(path, text);
  if (file.schemaVersion > STATE_SCHEMA_VERSION)
    throw new Error(
      `${path} was written by a newer Skiff (schema ${file.schemaVersion}, this one knows ${STATE_SCHEMA_VERSION}): use that one`,
    );
  return file;
}

/** Writes it so that a crash leaves either the old or the new one. */
export function writeClusterFile(path: string, file: ClusterFile): void {
  writeAtomically(path, `${JSON.stringify(file, undefined, 2)}\n`);
}

/** Files of all clusters below one home; damaged ones left out. */
export function clustersIn(home: string): readonly ClusterFile[] {
  if (!existsSync(home)) return [];
  return readdirSync(home, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap((entry) => {
      try {
        return readClusterFile(join(home, entry.name, "cluster.json")) ?? [];
      } catch {
        return [];
      }
    });
}

function parse(path: string, text: string): ClusterFile {
  try {
    const file = JSON.parse(text) as ClusterFile;
    if (typeof file.schemaVersion === "number" && Array.isArray(file.nodes)) return file;
  } catch {
    // said below
  }
  throw new Error(
    `${path} is damaged: restore it from a backup, or remove the cluster with 'skiff delete'`,
  );
}
