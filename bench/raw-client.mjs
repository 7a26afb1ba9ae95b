// A client that takes little of the processor it shares with the server that is measured: connections that stand before the first
// request, requests as text, and of the answers only whether they were good.
import tls from "node:tls";

const HEAD_END = "\r\n\r\n";
const LAST_CHUNK = "0\r\n\r\n";

/** True: `text` is a whole answer. */
function isWhole(text) {
  const end = text.indexOf(HEAD_END);
  if (end < 0) return false;
  const length = /\r\ncontent-length: (\d+)/i.exec(text.slice(0, end))?.[1];
  if (length === undefined) return text.endsWith(LAST_CHUNK);
  return text.length >= end + HEAD_END.length + Number(length);
}

/** One connection: one request at a time. */
function connect({ hostname, port, host }, token) {
  return new Promise((resolve, reject) => {
    let answered;
    let text = "";
    const socket = tls.connect({ host: hostname, port, rejectUnauthorized: false }, () =>
      resolve({
        call(method, path, body) {
          const json = JSON.stringify(body);
          socket.write(
            `${method} ${path} HTTP/1.1\r\nhost: ${host}\r\nauthorization: Bearer ${token}\r\n` +
              `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(json)}\r\n\r\n${json}`,
          );
          return new Promise((...both) => (answered = both));
        },
        close: () => socket.destroy(),
      }),
    );
    socket.setNoDelay(true);
    socket.on("data", (bytes) => {
      text += bytes.latin1Slice();
      if (!isWhole(text)) return;
      const [done, failed] = answered;
      if (text.startsWith("HTTP/1.1 2")) done();
      else failed(new Error(text));
      text = "";
    });
    socket.on("error", (error) => {
      reject(error);
      answered?.[1](error);
    });
  });
}

/** Calls a server over `connections` connections of HTTP/1.1; resolves when they stand. Calls wait for a free one. */
export async function rawClientOf(url, token, connections) {
  const all = await Promise.all(Array.from({ length: connections }, () => connect(url, token)));
  const free = [...all];
  const waiting = [];
  const call = async (...request) => {
    const connection = free.pop() ?? (await new Promise((resolve) => waiting.push(resolve)));
    try {
      await connection.call(...request);
    } finally {
      const next = waiting.shift();
      if (next) next(connection);
      else free.push(connection);
    }
  };
  return { call, close: () => all.forEach((connection) => connection.close()) };
}
