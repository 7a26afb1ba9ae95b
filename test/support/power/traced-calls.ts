import { readFileSync } from "node:fs";

/** What a traced process did to files, each call with the lines of the trace where it began and where it returned. */
export type TracedCall = {
  readonly begin: number;
  readonly end: number;
  readonly path: string;
} & (
  | {
      readonly kind: "write";
      readonly at: number;
      readonly bytes: Buffer;
      readonly isDurable: boolean;
    }
  | { readonly kind: "size"; readonly bytes: number }
  | { readonly kind: "sync" | "create" | "remove" }
  | { readonly kind: "rename"; readonly to: string }
  | { readonly kind: "mark"; readonly text: string }
);

/** Calls that change files or make a change durable. A call of theirs that the parser does not know fails the test. */
const TRACED = [
  ...["openat", "creat", "mkdir", "lseek", "write", "writev", "pwrite64", "pwritev", "pwritev2"],
  ...["fsync", "fdatasync", "msync", "sync_file_range", "ftruncate", "fallocate"],
  ...["rename", "renameat", "renameat2", "link", "linkat", "unlink", "unlinkat", "mmap"],
  ...["sendfile", "copy_file_range", "splice", "io_uring_setup", "io_submit"],
];

/** Longest written value in a trace, in bytes: more than any group of the load. */
const STRING_BYTES_MAX = 32 * 1024 * 1024;

/** The words before a command that is to be traced into `file`. */
export function traceCommand(file: string): readonly string[] {
  return [
    ...["strace", "-f", "-qq", "-y", "-xx", "-s", String(STRING_BYTES_MAX)],
    ...["-e", `trace=${TRACED.join(",")}`, "-e", "signal=none", "-o", file, "--"],
  ];
}

interface Handle {
  readonly isDurable: boolean;
  /** Where a write without an offset goes. */
  position: number;
}

interface Parts {
  readonly name: string;
  readonly args: string;
  readonly result: string;
  readonly begin: number;
  readonly end: number;
}

/** The calls of the trace in `file` that concern paths below `folder`; writes to `marks` are marks. In order of begin. */
export function readTrace(file: string, folder: string, marks: string): readonly TracedCall[] {
  const handles = new Map<string, Handle>();
  return callsOf(readFileSync(file, "latin1").split("\n")).flatMap((parts) => {
    const path = pathOf(parts);
    if (path === marks && parts.name === "write")
      return [
        { ...span(parts), path, kind: "mark" as const, text: stringsOf(parts.args).toString() },
      ];
    if (!path.startsWith(folder) || parts.result.startsWith("-1")) return [];
    if (parts.name === "openat") noteHandle(parts, handles);
    return asCall(parts, path, handles);
  });
}

/** Joins what strace splits when calls of several threads overlap. */
function callsOf(lines: readonly string[]): readonly Parts[] {
  const open = new Map<string, { readonly text: string; readonly begin: number }>();
  const calls: Parts[] = [];
  lines.forEach((line, index) => {
    const split = line.indexOf(" ");
    const [thread, text] = [line.slice(0, split), line.slice(split).trimStart()];
    const unfinished = " <unfinished ...>";
    if (text.endsWith(unfinished))
      return void open.set(thread, { text: text.slice(0, -unfinished.length), begin: index });
    const resumed = /^<\.\.\. \w+ resumed>/.exec(text);
    const begun = resumed && open.get(thread);
    const whole = begun ? begun.text + text.slice(resumed[0].length) : text;
    const [bracket, equals] = [whole.indexOf("("), whole.lastIndexOf(" = ")];
    if (bracket < 0 || equals < 0) return;
    calls.push({
      name: whole.slice(0, bracket),
      args: whole.slice(bracket + 1, whole.lastIndexOf(")", equals)),
      result: whole.slice(equals + 3),
      begin: begun ? begun.begin : index,
      end: index,
    });
  });
  return calls.sort((a, b) => a.begin - b.begin);
}

/** The file of a handle where there is one, else the last path named. */
function pathOf({ name, args, result }: Parts): string {
  const handle =
    name === "openat" || name === "creat"
      ? /^\d+<([^>]*)>/.exec(result)
      : /^\d+<([^>]*)>/.exec(args);
  if (handle) return bytesOf(handle[1]!).toString();
  if (name === "mmap") return /, \d+<([^>]*)>/.exec(args)?.[1] ? mappedPath(args) : "";
  return /"/.test(args) && !/^\d/.test(args) ? lastString(args).toString() : "";
}

function mappedPath(args: string): string {
  return bytesOf(/, \d+<([^>]*)>/.exec(args)![1]!).toString();
}

function noteHandle({ args, result }: Parts, handles: Map<string, Handle>): void {
  handles.set(/^\d+/.exec(result)![0], { isDurable: /O_D?SYNC/.test(args), position: 0 });
}

function asCall(
  parts: Parts,
  path: string,
  handles: ReadonlyMap<string, Handle>,
): readonly TracedCall[] {
  const { name, args, result } = parts;
  const at = { ...span(parts), path };
  const handle = handles.get(/^\d*/.exec(args)![0]);
  switch (name) {
    case "openat":
      return args.includes("O_CREAT") ? [{ ...at, kind: "create" }] : [];
    case "mkdir":
      return [{ ...at, kind: "create" }];
    case "lseek":
      handle!.position = Number.parseInt(result, 10);
      return [];
    case "pwrite64":
    case "pwritev":
    case "write":
    case "writev": {
      if (!isTable(path)) return [];
      const bytes = stringsOf(args).subarray(0, Number.parseInt(result, 10));
      const isSought = !name.startsWith("p");
      const offset = isSought ? handle!.position : Number(/, (\d+)$/.exec(args)![1]);
      if (isSought) handle!.position += bytes.length;
      return [{ ...at, kind: "write", at: offset, bytes, isDurable: handle!.isDurable }];
    }
    case "ftruncate":
      return [{ ...at, kind: "size", bytes: Number(/, (\d+)$/.exec(args)![1]) }];
    case "fsync":
    case "fdatasync":
      return [{ ...at, kind: "sync" }];
    case "rename":
      return [{ ...at, kind: "rename", path: firstString(args).toString(), to: path }];
    case "unlink":
      return [{ ...at, kind: "remove" }];
    case "mmap":
      if (isTable(path) && /PROT_WRITE/.test(args) && /MAP_SHARED/.test(args))
        throw new Error(`${path} is written through a map, which a trace does not show`);
      return [];
    default:
      if (!isTable(path)) return [];
      throw new Error(`a call to ${path} that the test does not know: ${name}`);
  }
}

/** A file of the store. Not LMDB's lock files: they are written through a map, and what a power loss leaves of them is the test's choice. */
export function isTable(path: string): boolean {
  return /\.(mdb|mdb\.new|log)$/.test(path);
}

function span({ begin, end }: Parts): { readonly begin: number; readonly end: number } {
  return { begin, end };
}

function firstString(args: string): Buffer {
  return bytesOf(args.slice(args.indexOf('"') + 1));
}

function lastString(args: string): Buffer {
  return bytesOf(args.slice(args.lastIndexOf('"', args.lastIndexOf('"') - 1) + 1));
}

/** All strings of a call as one, which is what a vector of buffers means. */
function stringsOf(args: string): Buffer {
  return bytesOf(
    args
      .split('"')
      .filter((_, index) => index % 2 === 1)
      .join(""),
  );
}

function bytesOf(text: string): Buffer {
  return Buffer.from(text.replaceAll("\\x", "").replace(/".*$/, ""), "hex");
}
