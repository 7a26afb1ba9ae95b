import { readFileSync } from "node:fs";
import { request as requestPlain } from "node:http";
import { Agent, request as requestTls } from "node:https";
import type { ExtenderTls, Pem } from "../scheduler/extender.ts";

/** Bytes of an answer: names of 100,000 nodes, and more than any extender needs. Doubling doubles what one can make us hold. */
const ANSWER_BYTES_MAX = 32 * 1024 * 1024;

/** Connections by what they are made with. */
const agents = new WeakMap<ExtenderTls, Agent>();

/**
 * Sends JSON to a program beside the cluster (a scheduler's extender) and reads its answer.
 *
 * `tls`: the same object each time; the files that it names are read once.
 * @throws {Error} no answer in time, another status than 200, no JSON, or a file that cannot be read.
 */
export async function postJson(
  url: string,
  body: object,
  timeoutMs: number,
  tls?: ExtenderTls,
): Promise<unknown> {
  const { status, text } = await post(url, JSON.stringify(body), timeoutMs, tls && agentOf(tls));
  if (status !== 200) throw new Error(`${url} answered ${status}`);
  return JSON.parse(text);
}

function post(
  url: string,
  body: string,
  timeoutMs: number,
  agent: Agent | undefined,
): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const options = {
      method: "POST",
      headers: { "content-type": "application/json", "content-length": Buffer.byteLength(body) },
      signal: AbortSignal.timeout(timeoutMs),
    };
    const isTls = url.startsWith("https:");
    const question = isTls
      ? requestTls(url, agent ? { ...options, agent } : options)
      : requestPlain(url, options);
    question.on("error", reject);
    question.on("response", (answer) => {
      const parts: Buffer[] = [];
      let length = 0;
      answer.on("data", (part: Buffer) => {
        length += part.length;
        if (length > ANSWER_BYTES_MAX) answer.destroy(new Error(`${url} answered too much`));
        else parts.push(part);
      });
      answer.on("error", reject);
      answer.on("end", () =>
        resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(parts).toString() }),
      );
    });
    question.end(body);
  });
}

function agentOf(tls: ExtenderTls): Agent {
  let agent = agents.get(tls);
  if (agent) return agent;
  const { isInsecure, serverName, ca, cert, key } = tls;
  agent = new Agent({
    keepAlive: true,
    rejectUnauthorized: !isInsecure,
    ...(serverName !== "" && { servername: serverName }),
    ...(ca && { ca: read(ca) }),
    ...(cert && { cert: read(cert) }),
    ...(key && { key: read(key) }),
  });
  agents.set(tls, agent);
  return agent;
}

function read(pem: Pem): string {
  return "text" in pem ? pem.text : readFileSync(pem.file, "utf8");
}
