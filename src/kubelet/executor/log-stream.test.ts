import assert from "node:assert/strict";
import {
  appendFileSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import { logOptionsOf, type LogOptions } from "../server/log-options.ts";
import { readLog } from "./log-stream.ts";

const options = (query: string): LogOptions =>
  logOptionsOf(new URLSearchParams(query), 0) as LogOptions;

/** A log in a folder of its own, and what a rotation does to it. */
async function inFolder(
  body: (log: {
    readonly path: string;
    write(...lines: readonly string[]): void;
    /** To a file that was rotated already. */
    writeLate(suffix: string, line: string): void;
    rotate(suffix: string): void;
    compress(suffix: string): void;
  }) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "skiff-log-"));
  const path = join(folder, "0.log");
  writeFileSync(path, "");
  try {
    await body({
      path,
      write: (...lines) => {
        for (const line of lines) append(path, line);
      },
      writeLate: (suffix, line) => append(`${path}.${suffix}`, line),
      rotate: (suffix) => {
        renameSync(path, `${path}.${suffix}`);
        writeFileSync(path, "");
      },
      compress: (suffix) => {
        const rotated = `${path}.${suffix}`;
        writeFileSync(`${rotated}.gz`, gzipSync(readFileSync(rotated)));
        rmSync(rotated);
      },
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function append(path: string, line: string): void {
  appendFileSync(path, `2026-01-01T00:00:00Z stdout F ${line}\n`);
}

const idle = new AbortController().signal;

describe("readLog", () => {
  it("reads what is there, or its end", () =>
    inFolder(async ({ path, write }) => {
      write("1", "2", "3");
      const read = async (query: string): Promise<string> => {
        let text = "";
        for await (const bytes of readLog(path, options(query), () => false, idle))
          text += bytes.toString();
        return text;
      };
      assert.equal(await read(""), "1\n2\n3\n");
      assert.equal(await read("tailLines=2"), "2\n3\n");
    }));

  it("misses no line however often the log is rotated before its reader goes on", () =>
    inFolder(async ({ path, write, rotate, compress }) => {
      rotate("20251231-000000");
      write("1", "2");
      let isAlive = true;
      const reader = readLog(path, options("follow=true"), () => isAlive, idle);
      const lines: string[] = [];
      const next = async (): Promise<boolean> => {
        const { value, done } = await reader.next();
        if (value) lines.push(value.toString().trim());
        return !done;
      };
      await next();
      write("3");
      rotate("20260101-000000");
      write("4");
      rotate("20260101-000010");
      compress("20260101-000000");
      write("5", "6");
      rotate("20260101-000020");
      compress("20260101-000010");
      write("7");
      for (let count = 1; count < 6; count++) await next();
      rotate("20260101-000030");
      write("8");
      isAlive = false;
      while (await next());
      assert.deepEqual(lines, ["1", "2", "3", "4", "5", "6", "7", "8"]);
    }));

  it("misses nothing that the runtime writes to the old file while it turns to the new one", () =>
    inFolder(async ({ path, write, writeLate, rotate }) => {
      write("1");
      let isAlive = true;
      const reader = readLog(path, options("follow=true"), () => isAlive, idle);
      const next = async (): Promise<string> => (await reader.next()).value!.toString().trim();
      assert.equal(await next(), "1");
      rotate("20260101-000000");
      const second = next();
      // Long enough for its reader to have found the new file.
      for (let turn = 0; turn < 1000; turn++) await new Promise(setImmediate);
      writeLate("20260101-000000", "2");
      write("3");
      assert.deepEqual([await second, await next()], ["2", "3"]);
      writeLate("20260101-000000", "4");
      isAlive = false;
      assert.equal(await next(), "4");
      assert.equal((await reader.next()).done, true);
    }));

  it("ends with what it has when the Pod's folder is removed under it", () =>
    inFolder(async ({ path, write }) => {
      write("1");
      let isAlive = true;
      const reader = readLog(path, options("follow=true"), () => isAlive, idle);
      assert.equal((await reader.next()).value?.toString(), "1\n");
      rmSync(dirname(path), { recursive: true });
      isAlive = false;
      assert.equal((await reader.next()).done, true);
    }));
});
