import type { ClientRequest, IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { Clock } from "../../base/clock.ts";
import { endToEnd } from "./headers.ts";

/** Milliseconds a server has to answer a request to switch. Doubling it doubles how long a hung server holds a client. */
const ANSWER_MS = 60_000;
/** Bytes of a refusal that are passed on: more than any Status has. */
const REFUSAL_BYTES_MAX = 64 * 1024;

/** What a server says to a request to switch protocols. */
export type UpgradeOutcome =
  | {
      readonly kind: "switched";
      /** The 101 as it goes to the client: status line, headers, empty line. */
      readonly head: Buffer;
      readonly socket: Duplex;
      /** Bytes that came with the answer. */
      readonly rest: Buffer;
    }
  | {
      /** The connection is closed already: it is in no known state, and nothing may be sent on it again. */
      readonly kind: "refused";
      readonly status: number;
      readonly headers: Record<string, string | string[]>;
      readonly body: Buffer;
    };

/** Sends a request to switch protocols and resolves with the answer. `outgoing` must have a connection of its own. */
export function upgrade(outgoing: ClientRequest, clock: Clock): Promise<UpgradeOutcome> {
  return new Promise<UpgradeOutcome>((resolve, reject) => {
    const timer = clock.after(ANSWER_MS, () => outgoing.destroy(new Error("no answer in time")));
    const settle = (outcome: UpgradeOutcome): void => {
      timer.cancel();
      resolve(outcome);
    };
    outgoing.on("error", (error) => {
      timer.cancel();
      reject(error);
    });
    outgoing.on("upgrade", (answer, socket, rest) => {
      settle({ kind: "switched", head: headOf(answer), socket, rest });
    });
    outgoing.on("response", (answer) => {
      refusalOf(answer, (refusal) => {
        outgoing.destroy();
        settle(refusal);
      });
    });
    outgoing.end();
  });
}

/** Repeated headers stay repeated: what was negotiated must reach the client as the server said it. */
function headOf({ statusMessage, rawHeaders }: IncomingMessage): Buffer {
  let text = `HTTP/1.1 101 ${statusMessage ?? "Switching Protocols"}\r\n`;
  for (let at = 0; at < rawHeaders.length; at += 2)
    text += `${rawHeaders[at]}: ${rawHeaders[at + 1]}\r\n`;
  return Buffer.from(`${text}\r\n`, "latin1");
}

function refusalOf(answer: IncomingMessage, done: (refusal: UpgradeOutcome) => void): void {
  const pieces: Buffer[] = [];
  let length = 0;
  let isDone = false;
  const finish = (): void => {
    if (isDone) return;
    isDone = true;
    const headers = endToEnd(answer.headers);
    delete headers["content-length"];
    const { statusCode = 0 } = answer;
    const status = statusCode > 599 ? 502 : statusCode;
    done({ kind: "refused", status, headers, body: Buffer.concat(pieces) });
  };
  answer.on("data", (piece: Buffer) => {
    pieces.push(piece);
    length += piece.length;
    if (length > REFUSAL_BYTES_MAX) finish();
  });
  answer.on("end", finish);
  answer.on("close", finish);
  answer.on("error", finish);
}
