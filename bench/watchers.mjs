// A process with many watchers of one resource: `node bench/watchers.mjs URL TOKEN PATH COUNT h1|h2 [stalled]`. Reads commands from
// its parent: { stop: true } → { events, late, ms: quantiles, cpu }. Raw sockets and no JSON: what is measured is the server.
import http2 from "node:http2";
import tls from "node:tls";

const [url, token, path, count, protocol, stalled] = process.argv.slice(2);
const { hostname, port, host } = new URL(url);
const watchers = Number(count);
/** Events of each watcher. */
const events = new Uint32Array(watchers);
/** Of the oldest event of each read, by whole milliseconds: the worst of those that came together. */
const delays = new Uint32Array(60_001);
const STAMP = Buffer.from('"t":"');
const NEWLINE = 10;
const RETURN = 13;
/** The last byte of each watcher's last piece. */
const lasts = new Uint8Array(watchers);

/** A frame ends in a newline; those of HTTP/1.1's own framing come after a carriage return. */
function take(at, piece) {
  let seen = 0;
  for (let end = piece.indexOf(NEWLINE); end >= 0; end = piece.indexOf(NEWLINE, end + 1))
    if ((end > 0 ? piece[end - 1] : lasts[at]) !== RETURN) seen++;
  lasts[at] = piece[piece.length - 1];
  events[at] += seen;
  const begin = piece.indexOf(STAMP) + STAMP.length;
  if (begin < STAMP.length || begin + 13 > piece.length) return;
  const text = piece.latin1Slice(begin, begin + 13);
  const delayMs = Math.round(performance.timeOrigin + performance.now() - Number(text));
  if (delayMs >= 0) delays[Math.min(delays.length - 1, delayMs)]++;
}

function openH1(at) {
  return new Promise((resolve, reject) => {
    const socket = tls.connect({ host: hostname, port, rejectUnauthorized: false }, () => {
      socket.write(
        `GET ${path} HTTP/1.1\r\nhost: ${host}\r\nauthorization: Bearer ${token}\r\n\r\n`,
      );
    });
    socket.once("data", (head) => {
      if (!head.toString().startsWith("HTTP/1.1 200")) reject(new Error(head.toString()));
      if (stalled) socket.pause();
      else socket.on("data", (piece) => take(at, piece));
      resolve();
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
    });
    stream.on("response", (headers) => {
      if (headers[":status"] !== 200) reject(new Error(String(headers[":status"])));
      resolve();
    });
    stream.on("error", reject);
    if (!stalled) stream.on("data", (piece) => take(at, piece));
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
    process.send({ cpu: process.cpuUsage() });
  } else if (command.count) {
    process.send({ least: Math.min(...events), most: Math.max(...events) });
  } else if (command.report) {
    const total = delays.reduce((sum, n) => sum + n, 0);
    const [p50, p99, p999] = [0.5, 0.99, 0.999].map((q) => quantileMs(total, q));
    process.send({ p50, p99, p999, reads: total, cpu: process.cpuUsage() });
  } else process.exit(0);
});

const open = protocol === "h2" ? openH2 : openH1;
for (let at = 0; at < watchers; at += 50)
  await Promise.all(
    Array.from({ length: Math.min(50, watchers - at) }, (_, more) => open(at + more)),
  );
process.send({ ready: true });
