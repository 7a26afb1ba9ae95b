// What the measurements share: a client with keep-alive connections, wrk, and figures beside a reference.
import { execFileSync, spawnSync } from "node:child_process";
import { appendFileSync, readFileSync } from "node:fs";
import https from "node:https";

/** Resolves `ms` from now. */
export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** The q-quantile of sorted numbers. */
export const quantile = (sorted, q) =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? NaN;

/** Figures by name, printed as they come. */
export class Figures {
  all = {};

  record(name, ours, theirs) {
    this.all[name] =
      theirs === undefined
        ? { ours }
        : { ours, reference: theirs, ratio: +(ours / theirs).toFixed(2) };
    const beside =
      theirs === undefined ? "" : `   reference ${theirs}   ratio ${(ours / theirs).toFixed(2)}`;
    console.log(`${name.padEnd(60)} ${String(ours).padStart(9)}${beside}`);
  }

  /** One line in bench/results.ndjson. */
  append(kind) {
    const git = ["rev-parse", "--short", "HEAD"];
    const commit = execFileSync("git", git, { encoding: "utf8" }).trim();
    const at = new Date().toISOString().slice(0, 10);
    const line = { at, commit, kind, figures: this.all };
    appendFileSync("bench/results.ndjson", `${JSON.stringify(line)}\n`);
  }
}

/** Requests per second that wrk measured. */
export function wrk(connections, seconds, args) {
  const all = ["-t1", `-c${connections}`, `-d${seconds}s`, ...args];
  const { stdout } = spawnSync("wrk", all, { encoding: "utf8" });
  return Math.round(Number(/Requests\/sec:\s*([\d.]+)/.exec(stdout)?.[1] ?? 0));
}

/** Calls a server over up to `connections` connections of HTTP/1.1. `identity`: a token, or a certificate with its key. */
export function clientOf(url, { token, cert, key }, connections = 32) {
  const agent = new https.Agent({ keepAlive: true, maxSockets: connections, cert, key });
  const authorization = token && { authorization: `Bearer ${token}` };
  const call = (method, path, body, headers = {}) =>
    new Promise((resolve, reject) => {
      const request = https.request(
        new URL(path, url),
        {
          method,
          agent,
          headers: { ...authorization, "content-type": "application/json", ...headers },
          rejectUnauthorized: false,
        },
        (answer) => {
          const parts = [];
          answer.on("data", (part) => parts.push(part));
          answer.on("end", () => {
            const text = Buffer.concat(parts).toString();
            if (answer.statusCode < 300) resolve(text.startsWith("{") ? JSON.parse(text) : text);
            else reject(Object.assign(new Error(text), { status: answer.statusCode }));
          });
          answer.on("error", reject);
        },
      );
      request.on("error", reject);
      request.end(body && JSON.stringify(body));
    });
  return { call, url, token, close: () => agent.destroy() };
}

/** Does `work` for 0 … count - 1, `width` at a time. */
export async function inParallel(count, width, work) {
  let next = 0;
  const worker = async () => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: width }, worker));
}

/** Resident memory of a process, MB. */
export const residentMb = (pid) =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1]) / 1024;

/** Processor time of a process so far, s. */
export function processorSeconds(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
