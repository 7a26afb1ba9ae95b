import * as http from "node:http";
import * as https from "node:https";
import { connect } from "node:net";
import type { HttpCheck } from "../probes/check.ts";

/** Longest answer that is read; upstream's limit. */
const BODY_BYTES_MAX = 10 * 1024;

/** What a check found. `output` is the text of the event. */
export interface CheckResult {
  readonly isSuccess: boolean;
  readonly output: string;
}

/**
 * One HTTP request; 200 to 399 is success. Redirects are not followed.
 *
 * @spec k8s@1.36 pkg/probe/http/http.go
 */
export function checkHttp(check: HttpCheck, timeoutMs: number): Promise<CheckResult> {
  const { scheme, host, port, path, headers } = check;
  const shownHost = host.includes(":") ? `[${host}]` : host;
  const url = `${scheme}://${shownHost}:${port}${path.startsWith("/") ? path : `/${path}`}`;
  return new Promise((resolve) => {
    const failed = (reason: string): void =>
      resolve({ isSuccess: false, output: `Get ${JSON.stringify(url)}: ${reason}` });
    const late = `context deadline exceeded (Client.Timeout exceeded while awaiting headers)`;
    const options = { headers, agent: false, rejectUnauthorized: false } as const;
    const request = (scheme === "https" ? https : http).get(url, options, (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      const finish = (): void => {
        clearTimeout(timer);
        const status = response.statusCode ?? 0;
        const isSuccess = status >= 200 && status < 400;
        const output = isSuccess
          ? Buffer.concat(chunks).toString("utf8")
          : `HTTP probe failed with statuscode: ${status}`;
        resolve({ isSuccess, output });
        request.destroy();
      };
      response.on("data", (chunk: Buffer) => {
        if (size < BODY_BYTES_MAX) chunks.push(chunk);
        size += chunk.length;
        if (size >= BODY_BYTES_MAX) finish();
      });
      response.on("end", finish);
      response.on("error", finish);
    });
    const timer = setTimeout(() => {
      failed(late);
      request.destroy();
    }, timeoutMs);
    request.on("error", (error: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      failed(networkError(error, shownHost, port));
    });
  });
}

/** One TCP connection; success is that it opens. @spec k8s@1.36 pkg/probe/tcp/tcp.go */
export function checkTcp(host: string, port: number, timeoutMs: number): Promise<CheckResult> {
  const shownHost = host.includes(":") ? `[${host}]` : host;
  return new Promise((resolve) => {
    const finish = (isSuccess: boolean, output: string): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ isSuccess, output });
    };
    const socket = connect({ host, port });
    const timer = setTimeout(
      () => finish(false, `dial tcp ${shownHost}:${port}: i/o timeout`),
      timeoutMs,
    );
    socket.once("connect", () => finish(true, ""));
    socket.once("error", (error) => finish(false, networkError(error, shownHost, port)));
  });
}

/** As Go words the usual ones. */
function networkError(error: NodeJS.ErrnoException, host: string, port: number): string {
  const words: Readonly<Record<string, string>> = {
    ECONNREFUSED: "connect: connection refused",
    EHOSTUNREACH: "connect: no route to host",
    ENETUNREACH: "connect: network is unreachable",
    ECONNRESET: "read: connection reset by peer",
  };
  const known = words[error.code ?? ""];
  return known === undefined ? error.message : `dial tcp ${host}:${port}: ${known}`;
}
