/** The store cannot be opened. Not normal; the message names the file and says what to do. */
export class StoreUnreadable extends Error {
  override readonly name = "StoreUnreadable";

  constructor(file: string, reason: string, cause?: unknown) {
    super(
      `the store file ${file} cannot be read: ${reason}. Restore it from a snapshot, or move it away to start empty`,
      { cause },
    );
  }
}

/** The store was written by a newer Skiff. */
export class StoreTooNew extends Error {
  override readonly name = "StoreTooNew";

  constructor(folder: string, found: number, known: number) {
    super(
      `the store in ${folder} has layout ${found}, and this Skiff reads layouts up to ${known}: ` +
        "start it with the Skiff that wrote it, or a newer one",
    );
  }
}

/** Another process has the store open. */
export class StoreInUse extends Error {
  override readonly name = "StoreInUse";

  constructor(folder: string, pid: number) {
    super(`the store in ${folder} is in use by process ${pid}: stop that one first`);
  }
}
