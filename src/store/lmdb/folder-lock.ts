import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { StoreInUse } from "./store-unreadable.ts";

/** Who holds a folder. Boot and start time tell a process from a later one with its number. */
interface Holder {
  readonly pid: number;
  readonly startTime: string;
  readonly bootId: string;
}

/** This process's hold on a folder. */
export interface FolderLock {
  release(): void;
}

/**
 * Takes `folder` for this process alone; what a dead process left behind is taken over.
 *
 * Why not LMDB's own lock: it lets several processes write, and two servers on one line of revisions would each
 * issue the same numbers.
 * @throws {StoreInUse} a living process holds it, this one included.
 */
export function lockFolder(folder: string): FolderLock {
  const file = `${folder}/lock`;
  const mine = `${file}.${process.pid}`;
  writeFileSync(mine, JSON.stringify(holderOf(process.pid)), { mode: 0o600 });
  try {
    takeOverDead(folder, file);
    linkSync(mine, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    throw new StoreInUse(folder, readHolder(file)?.pid ?? 0);
  } finally {
    rmSync(mine, { force: true });
  }
  return { release: () => rmSync(file, { force: true }) };
}

/** Moves a dead holder's file away first, and looks at what was moved: another process may just have taken over. */
function takeOverDead(folder: string, file: string): void {
  const holder = readHolder(file);
  if (holder === undefined) return;
  if (isAlive(holder)) throw new StoreInUse(folder, holder.pid);
  const grave = `${file}.dead.${process.pid}`;
  try {
    renameSync(file, grave);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw error;
  }
  const moved = readHolder(grave);
  if (moved && isAlive(moved)) {
    renameSync(grave, file);
    throw new StoreInUse(folder, moved.pid);
  }
  rmSync(grave, { force: true });
}

/** `undefined`: there is no lock. A file that says nothing, as after a power loss, names a holder that is dead. */
function readHolder(file: string): Holder | undefined {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  try {
    return JSON.parse(text) as Holder;
  } catch {
    return { pid: 0, startTime: "", bootId: "" };
  }
}

function isAlive(holder: Holder): boolean {
  const now = holderOf(holder.pid);
  return (
    holder.pid > 0 &&
    now.startTime !== "" &&
    now.startTime === holder.startTime &&
    now.bootId === holder.bootId
  );
}

/** @spec proc(5): field 22 of /proc/PID/stat is the start time; the name before it may hold blanks and parentheses */
function holderOf(pid: number): Holder {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const bootId = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    // Field 3 is the state: a zombie has ended, and its files are closed.
    return { pid, startTime: fields[0] === "Z" ? "" : fields[19]!, bootId };
  } catch {
    return { pid, startTime: "", bootId: "" };
  }
}
