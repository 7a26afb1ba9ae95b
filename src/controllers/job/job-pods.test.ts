import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { formatTime } from "../../base/clock.ts";
import type { Pod } from "../../api/core/pod.ts";
import { endedAt } from "./job-pods.ts";

/** The time of that many seconds. */
const at = (seconds: number): string => formatTime(seconds * 1000);

const ended = (name: string, seconds: number): object => ({
  name,
  state: { terminated: { finishedAt: at(seconds) } },
});
const running = (name: string): object => ({ name, state: { running: {} } });
const unready = (seconds: number): object => ({
  conditions: [{ type: "Ready", status: "False", lastTransitionTime: at(seconds) }],
});

//     what, status, seconds; metadata, init containers
const ROWS: readonly (readonly [string, object, number, object?, (readonly object[])?])[] = [
  ["its container", { containerStatuses: [ended("a", 50)] }, 50],
  ["the last of several", { containerStatuses: [ended("a", 50), ended("b", 70)] }, 70],
  [
    "a sidecar after it",
    { containerStatuses: [ended("a", 50)], initContainerStatuses: [ended("side", 60)] },
    60,
    {},
    [{ name: "side", restartPolicy: "Always" }],
  ],
  [
    "an ordinary init container counts for nothing",
    { containerStatuses: [ended("a", 50)], initContainerStatuses: [ended("init", 60)] },
    50,
    {},
    [{ name: "init" }],
  ],
  [
    "one still runs: since when it is not ready",
    { containerStatuses: [ended("a", 50), running("b")], ...unready(55) },
    55,
  ],
  ["no containers: since when it is not ready", unready(40), 40],
  [
    "ready: when its end was asked for",
    { conditions: [{ type: "Ready", status: "True", lastTransitionTime: at(40) }] },
    65,
    { deletionTimestamp: at(75), deletionGracePeriodSeconds: 10 },
  ],
  ["told to end, nothing else", {}, 75, { deletionTimestamp: at(75) }],
  ["nothing at all: its creation", {}, 10],
];

describe("the end of a Pod of a Job", () => {
  for (const [what, status, seconds, metadata, initContainers] of ROWS) {
    it(`${what}: ${seconds} s`, () => {
      const pod = {
        metadata: { name: "p", creationTimestamp: at(10), ...metadata },
        spec: { containers: [], ...(initContainers && { initContainers }) },
        status,
      } as Pod;
      assert.equal(endedAt(pod), seconds * 1000);
    });
  }
});
