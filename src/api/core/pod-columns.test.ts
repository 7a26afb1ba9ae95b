import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { pod } from "../../../test/support/builders.ts";
import type { V1ContainerState, V1ContainerStatus, V1Pod, V1PodStatus } from "../../gen/types.ts";
import { podColumns } from "./pod-columns.ts";

const NOW = Date.parse("2026-01-01T00:10:00Z");

function cells(
  object: V1Pod,
  names: readonly string[] = ["Ready", "Status", "Restarts"],
): unknown[] {
  return names.map((name) => podColumns.find((column) => column.name === name)!.cell(object, NOW));
}

function status(
  name: string,
  state: V1ContainerState,
  parts: Partial<V1ContainerStatus> = {},
): V1ContainerStatus {
  return { name, state, image: "i", imageID: "", ready: false, restartCount: 0, ...parts };
}

const running = (name: string): V1ContainerStatus => status(name, { running: {} }, { ready: true });
const ended = (exitCode: number, reason?: string): V1ContainerState => ({
  terminated: { exitCode, ...(reason && { reason }) },
});
const waiting = (reason: string): V1ContainerState => ({ waiting: { reason } });

function row(what: string, podStatus: V1PodStatus, ...expected: unknown[]): void {
  it(what, () => {
    const initContainers = (podStatus.initContainerStatuses ?? []).map(({ name }) => ({
      name,
      ...(name.startsWith("side") && { restartPolicy: "Always" }),
    }));
    assert.deepEqual(cells(pod("p", { spec: { initContainers }, status: podStatus })), expected);
  });
}

describe("READY, STATUS and RESTARTS of a pod", () => {
  row("new", { phase: "Pending" }, "0/1", "Pending", "0");
  row("runs", { phase: "Running", containerStatuses: [running("app")] }, "1/1", "Running", "0");
  row(
    "gated",
    {
      phase: "Pending",
      conditions: [{ type: "PodScheduled", status: "False", reason: "SchedulingGated" }],
    },
    "0/1",
    "SchedulingGated",
    "0",
  );
  row(
    "crashes",
    {
      phase: "Running",
      containerStatuses: [
        status("app", waiting("CrashLoopBackOff"), {
          restartCount: 3,
          lastState: { terminated: { exitCode: 1, finishedAt: "2026-01-01T00:05:40Z" } },
        }),
      ],
    },
    "0/1",
    "CrashLoopBackOff",
    "3 (4m20s ago)",
  );
  row("done", { phase: "Succeeded", containerStatuses: [status("app", ended(0, "Completed"))] }, "0/1", "Completed", "0"); // prettier-ignore
  row("killed", { phase: "Failed", containerStatuses: [status("app", ended(137))] }, "0/1", "ExitCode:137", "0"); // prettier-ignore
  row("evicted", { phase: "Failed", reason: "Evicted" }, "0/1", "Evicted", "0");
  row(
    "initializes",
    { phase: "Pending", initContainerStatuses: [status("i", waiting("PodInitializing"))] },
    "0/1",
    "Init:0/1",
    "0",
  );
  row(
    "fails to initialize",
    {
      phase: "Pending",
      initContainerStatuses: [status("i", ended(1, "Error"), { restartCount: 2 })],
    },
    "0/1",
    "Init:Error",
    "2",
  );
  row(
    "runs with a sidecar",
    {
      phase: "Running",
      initContainerStatuses: [{ ...running("side"), started: true, restartCount: 1 }],
      containerStatuses: [running("app")],
    },
    "2/2",
    "Running",
    "1",
  );
  row(
    "is ready although one container is done",
    {
      phase: "Running",
      conditions: [{ type: "Ready", status: "True" }],
      containerStatuses: [status("job", ended(0, "Completed")), running("app")],
    },
    "1/1",
    "Running",
    "0",
  );

  it("terminates", () => {
    const metadata = { deletionTimestamp: "2026-01-01T00:00:00Z" };
    assert.equal(cells(pod("p", { metadata, status: { phase: "Running" } }))[1], "Terminating");
    assert.equal(cells(pod("p", { metadata, status: { phase: "Succeeded" } }))[1], "Succeeded");
    const lost = pod("p", { metadata, status: { phase: "Running", reason: "NodeLost" } });
    assert.equal(cells(lost)[1], "Unknown");
  });

  it("shows addresses and gates with -o wide", () => {
    const wide = ["IP", "Node", "Nominated Node", "Readiness Gates"];
    assert.deepEqual(cells(pod(), wide), ["<none>", "<none>", "<none>", "<none>"]);
    const full = pod("p", {
      spec: { nodeName: "n", readinessGates: [{ conditionType: "a" }, { conditionType: "b" }] },
      status: { podIPs: [{ ip: "10.0.0.1" }], conditions: [{ type: "a", status: "True" }] },
    });
    assert.deepEqual(cells(full, wide), ["10.0.0.1", "n", "<none>", "1/2"]);
  });
});
