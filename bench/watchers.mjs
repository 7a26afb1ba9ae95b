// A process with many watchers of one resource: `node bench/watchers.mjs URL TOKEN PATH COUNT h1|h2|h1-plain [stalled]`. Reads commands
// from its parent: { mark }, { count }, { report: when each change was acknowledged }. Raw sockets and no JSON: what is measured is the server. They
// ask as client-go does, for gzip (h1-plain: for no compression); a real watcher has a machine of its own, a thousand here have half of one: what
// all of them get as the same bytes is looked at once.
import http2 from "node:http2";
import { monitorEventLoopDelay } from "node:perf_hooks";
import tls from "node:tls";
import { constants, inflateRawSync } from "node:zlib";

const [url, token, path, count, protocol, stalled] = process.argv.slice(2);
const { hostname, port, host } = new URL(url);
const watchers = Number(count);
/** How often the process looks how late it is, ms. */
const LOOK_MS = 5;
/** Events of each watcher. */
const events = new Uint32Array(watchers);
/** Of the oldest event of each read, by whole milliseconds from when it was asked for: the worst of those that came together. */
const delays = new Uint32Array(60_001);
const READS_MAX = 2_000_000;
/** Of each read: the number of its oldest change, and when it came. */
const changes = new Uint32Array(READS_MAX);
const arrivals = new Float64Array(READS_MAX);
let reads = 0;
/** How late this process itself is: what it measures is as much too long. */
const lateness = monitorEventLoopDelay({ resolution: LOOK_MS });
const STAMP = Buffer.from('"t":"');
/** 13 digits of milliseconds, a dash, 7 of the change's number. */
const STAMP_LENGTH = 21;
const NEWLINE = 10;
const RETURN = 13;
/** The last byte of each watcher's last piece. */
const lasts = new Uint8Array(watchers);

/** What a piece says: how many events end in it, and of the first, if it says so, when it was written and its number. */
function contentOf(piece, last) {
  let seen = 0;
  for (let end = piece.indexOf(NEWLINE); end >= 0; end = piece.indexOf(NEWLINE, end + 1))
    if ((end > 0 ? piece[end - 1] : last) !== RETURN) seen++;
  const begin = piece.indexOf(STAMP) + STAMP.length;
  if (begin < STAMP.length || begin + STAMP_LENGTH > piece.length) return { seen };
  const writtenMs = Number(piece.latin1Slice(begin, begin + 13));
  return { seen, writtenMs, change: Number(piece.latin1Slice(begin + 14, begin + STAMP_LENGTH)) };
}

function note(at, { seen, writtenMs, change }) {
  events[at] += seen;
  if (writtenMs === undefined) return;
  const nowMs = performance.timeOrigin + performance.now();
  const delayMs = Math.round(nowMs - writtenMs);
  if (delayMs >= 0) delays[Math.min(delays.length - 1, delayMs)]++;
  if (reads === READS_MAX) return;
  changes[reads] = change;
  arrivals[reads++] = nowMs;
}

/** @returns ms from the acknowledgement of the oldest change of each read until it came, sorted; below 0: the event was faster. */
function afterAcknowledged(acknowledged) {
  const delaysMs = new Float64Array(reads);
  for (let read = 0; read < reads; read++)
    delaysMs[read] = arrivals[read] - acknowledged[changes[read]];
  return delaysMs.sort();
}

/** What came and its contents: of the last reads, the newest first. */
const known = [];
const KNOWN_MAX = 32;

/** @returns `read(bytes)`, of all who get the same bytes once. */
function contentOnce(bytes, read) {
  let content = known.find((one) => one.bytes.equals(bytes))?.content;
  if (content) return content;
  content = read(bytes);
  known.unshift({ bytes: Buffer.from(bytes), content });
  if (known.length > KNOWN_MAX) known.pop();
  return content;
}

const ofPiece = (piece) => contentOf(piece);

/** A frame ends in a newline; those of HTTP/1.1's own framing come after a carriage return. */
function take(at, piece) {
  const isCut = piece[0] === NEWLINE;
  note(at, isCut ? contentOf(piece, lasts[at]) : contentOnce(piece, ofPiece));
  lasts[at] = piece[piece.length - 1];
}

/** Bytes of the header of a gzip file. */
const GZIP_HEADER = 10;
/** What ends each flushed block: those before it can be inflated. */
const MARK = Buffer.from([0, 0, 0xff, 0xff]);
const INFLATE = { finishFlush: constants.Z_SYNC_FLUSH };
const ofBlocks = (blocks) => contentOf(inflateRawSync(blocks, INFLATE));
/** What has come of each watcher's blocks whose end is still missing. */
const parts = new Array(watchers);
const hasHeader = new Uint8Array(watchers);

function takeGzip(at, piece) {
  let blocks = parts[at] ? Buffer.concat([parts[at], piece]) : piece;
  parts[at] = undefined;
  if (!hasHeader[at]) {
    if (blocks.length < GZIP_HEADER) return void (parts[at] = Buffer.from(blocks));
    hasHeader[at] = 1;
    blocks = blocks.subarray(GZIP_HEADER);
  }
  if (blocks.length === 0) return;
  if (!blocks.subarray(-MARK.length).equals(MARK)) return void (parts[at] = Buffer.from(blocks));
  note(at, contentOnce(blocks, ofBlocks));
}

/** The payload of chunks of HTTP/1.1, and what is left of an unfinished one. */
function unchunked(bytes) {
  const payload = [];
  for (let from = 0; ;) {
    const end = bytes.indexOf("\r\n", from);
    const length = end < 0 ? NaN : parseInt(bytes.latin1Slice(from, end), 16);
    if (!(end + 2 + length + 2 <= bytes.length))
      return { payload, left: from < bytes.length ? Buffer.from(bytes.subarray(from)) : undefined };
    payload.push(bytes.subarray(end + 2, end + 2 + length));
    from = end + 2 + length + 2;
  }
}

/** Of each watcher by HTTP/1.1: the begin of a chunk whose end is still missing. */
const chunks = new Array(watchers);

function takeChunked(at, piece) {
  const { payload, left } = unchunked(chunks[at] ? Buffer.concat([chunks[at], piece]) : piece);
  chunks[at] = left;
  for (const blocks of payload) takeGzip(at, blocks);
}

/** As client-go asks. */
const ASKED = {
  ...(protocol !== "h1-plain" && { "accept-encoding": "gzip" }),
  "user-agent": "watchers/v0 (linux/amd64) kubernetes/$Format",
};

/** Where all sockets read to: what is kept of it is copied. */
const READ = Buffer.allocUnsafe(64 * 1024);
const HEAD_END = "\r\n\r\n";

function openH1(at) {
  const asked = Object.entries(ASKED)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join("");
  return new Promise((resolve, reject) => {
    let taker;
    const begin = (bytes) => {
      const end = bytes.indexOf(HEAD_END);
      const head = bytes.latin1Slice();
      if (end < 0 || !head.startsWith("HTTP/1.1 200")) return reject(new Error(head));
      taker = head.includes("gzip") ? takeChunked : take;
      resolve();
      const first = bytes.subarray(end + HEAD_END.length);
      if (first.length > 0) taker(at, first);
    };
    const callback = (length) => {
      const bytes = READ.subarray(0, length);
      if (taker) taker(at, bytes);
      else begin(bytes);
      return !stalled;
    };
    // Without the queue of a stream between the socket and what counts.
    const onread = { buffer: READ, callback };
    const options = { host: hostname, port, rejectUnauthorized: false, onread };
    const socket = tls.connect(options, () => {
      socket.write(
        `GET ${path} HTTP/1.1\r\nhost: ${host}\r\nauthorization: Bearer ${token}\r\n${asked}\r\n`,
      );
    });
    socket.on("error", reject);
  });
}

const STREAMS = 125;
const sessions = [];
function sessionFor(at) {
  const index = Math.floor(at / STREAMS);
  if (!sessions[index]) {
    const session = http2.connect(url, {
      rejectUnauthorized: false,
      settings: { initialWindowSize: 4 * 1024 * 1024 },
    });
    session.on("connect", () => session.setLocalWindowSize(64 * 1024 * 1024));
    sessions[index] = session;
  }
  return sessions[index];
}

function openH2(at) {
  return new Promise((resolve, reject) => {
    const stream = sessionFor(at).request({
      ":path": path,
      authorization: `Bearer ${token}`,
      ...ASKED,
    });
    stream.on("response", (headers) => {
      if (headers[":status"] !== 200) reject(new Error(String(headers[":status"])));
      const taker = headers["content-encoding"] === "gzip" ? takeGzip : take;
      if (!stalled) stream.on("data", (piece) => taker(at, piece));
      resolve();
    });
    stream.on("error", reject);
  });
}

function quantileMs(total, q) {
  let seen = 0;
  for (let ms = 0; ms < delays.length; ms++) {
    seen += delays[ms];
    if (seen >= total * q) return ms;
  }
  return NaN;
}

process.on("message", (command) => {
  if (command.mark) {
    delays.fill(0);
    reads = 0;
    lateness.enable();
    lateness.reset();
    process.send({ cpu: process.cpuUsage() });
  } else if (command.count) {
    process.send({ least: Math.min(...events), most: Math.max(...events) });
  } else if (command.report) {
    const total = delays.reduce((sum, n) => sum + n, 0);
    const [p50, p99, p999] = [0.5, 0.99, 0.999].map((q) => quantileMs(total, q));
    const after = afterAcknowledged(command.report);
    const late = lateness.percentile(99) / 1e6 - LOOK_MS;
    const acknowledged = {
      p50: after[after.length >> 1],
      p99: after[Math.floor(after.length * 0.99)],
    };
    process.send({ p50, p99, p999, acknowledged, late, reads: total, cpu: process.cpuUsage() });
  } else process.exit(0);
});

const open = protocol === "h2" ? openH2 : openH1;
for (let at = 0; at < watchers; at += 50)
  await Promise.all(
    Array.from({ length: Math.min(50, watchers - at) }, (_, more) => open(at + more)),
  );
process.send({ ready: true });
