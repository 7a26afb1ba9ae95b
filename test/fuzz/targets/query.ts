import assert from "node:assert/strict";
import {
  decodeContinue,
  encodeContinue,
  type ContinueToken,
} from "../../../src/api/machinery/continue-token.ts";
import { parseGetOptions, parseListOptions } from "../../../src/api/machinery/list-options.ts";
import { StatusError } from "../../../src/api/machinery/status-error.ts";
import { fieldManagerOf, parseWriteOptions } from "../../../src/api/machinery/write-options.ts";
import {
  parseContainerOptions,
  parsePortForwardOptions,
} from "../../../src/apiserver/connect/stream-options.ts";
import { parseLogOptions } from "../../../src/apiserver/connect/log-options.ts";
import { logOptionsOf } from "../../../src/kubelet/server/log-options.ts";
import { mutated, wellFormed, type Draw } from "../draw.ts";
import { valueUnless } from "../expect.ts";
import { inputOf, parts, type FuzzTarget } from "../target.ts";

interface Input {
  readonly query: string;
  readonly token: ContinueToken;
}

/** Queries: options or a refusal for each verb; a continue token comes back as it was given out. */
export const query: FuzzTarget = {
  name: "query",
  runs: 3000,
  make(draw) {
    const token = { revision: 1 + draw.integer(2 ** 31), startKey: `${draw.pick(SPACES)}a\0` };
    return inputOf({ query: queryText(draw, token), token });
  },
  check(input) {
    const { query: text, token } = parts<Input>(input);
    assert.deepEqual(decodeContinue(encodeContinue(token)), token);
    const asked = new URLSearchParams(text);
    const refusals = [StatusError];
    for (const isWatch of [false, true]) {
      const options = valueUnless(refusals, () => parseListOptions(asked, isWatch));
      const start = options?.continueToken?.startKey;
      if (start !== undefined) assert.doesNotMatch(start, /^\/|\/\/|(^|\/)\.\.?(\/|$)/);
      if (options) assert.ok(options.limit >= 0 && (options.resourceVersion ?? 0) >= 0);
    }
    valueUnless(refusals, () => parseGetOptions(asked));
    for (const kind of ["CreateOptions", "UpdateOptions", "PatchOptions"] as const)
      valueUnless(refusals, () => parseWriteOptions(asked, kind, text.length % 2 === 0));
    valueUnless(refusals, () => parseLogOptions(asked, "pod"));
    valueUnless(refusals, () => parseContainerOptions("PodExecOptions", asked));
    valueUnless(refusals, () => parsePortForwardOptions(asked));
    logOptionsOf(asked, 0);
    assert.ok(fieldManagerOf("", text).length <= 128);
  },
};

const SPACES = ["", "default/", "kube-system/"];

function queryText(draw: Draw, token: ContinueToken): string {
  const encoded = Buffer.from(encodeContinue(token));
  return draw
    .times(draw.size(5), () => {
      const name = draw.chance(95) ? draw.pick(NAMES) : draw.text();
      const value = name === "continue" ? mutated(draw, encoded).toString() : valueOf(draw);
      const isRaw = draw.chance(30);
      return `${name}=${isRaw ? value : encodeURIComponent(wellFormed(value))}`;
    })
    .join("&");
}

const NAMES = [
  ...[
    "labelSelector",
    "fieldSelector",
    "watch",
    "resourceVersion",
    "resourceVersionMatch",
    "limit",
  ],
  ...["continue", "timeoutSeconds", "allowWatchBookmarks", "sendInitialEvents", "dryRun", "force"],
  ...["fieldManager", "fieldValidation", "sinceTime", "sinceSeconds", "tailLines", "limitBytes"],
  ...["stream", "follow", "command", "ports", "container", "stdin"],
];

function valueOf(draw: Draw): string {
  if (draw.chance(40))
    return draw.pick(["true", "0", "1", "All", "Exact", "NotOlderThan", "Strict"]);
  return draw.chance(50) ? String(draw.number()) : draw.text();
}
