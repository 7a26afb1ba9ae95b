import assert from "node:assert/strict";
import {
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { LogFile, rotateOpenLog } from "./log-file.ts";

const folder = mkdtempSync(join(tmpdir(), "skiff-log-"));
after(() => rmSync(folder, { recursive: true }));

describe("LogFile", () => {
  it("keeps one file before the present one, both for the owner alone", () => {
    const path = join(folder, "own.log");
    const log = new LogFile(path, 10);
    for (const line of ["first", "second", "third", "fourth", "fifth"]) log.write(line);
    log.close();
    assert.equal(readFileSync(`${path}.1`, "utf8"), "third\nfourth\n");
    assert.equal(readFileSync(path, "utf8"), "fifth\n");
    assert.equal(statSync(path).mode & 0o777, 0o600);
  });
});

describe("LogFile on a full disk", () => {
  it("drops lines instead of ending the process", () => {
    const log = new LogFile("/dev/full");
    log.write("lost");
    log.write("lost");
    log.close();
  });
});

describe("rotateOpenLog", () => {
  it("empties a log under its writer, who goes on at its beginning", () => {
    const path = join(folder, "foreign.log");
    writeFileSync(path, "");
    const writer = openSync(path, "a");
    writeSync(writer, "before\n");
    rotateOpenLog(path, 3);
    writeSync(writer, "x\n");
    rotateOpenLog(path, 3);
    closeSync(writer);
    assert.equal(readFileSync(`${path}.1`, "utf8"), "before\n");
    assert.equal(readFileSync(path, "utf8"), "x\n");
  });

  it("does nothing where no log is", () => rotateOpenLog(join(folder, "none.log")));
});
