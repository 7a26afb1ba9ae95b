import { sleep, type Clock } from "../../base/clock.ts";
import type { V1Container, V1LifecycleHandler } from "../../gen/types.ts";
import type { CriClient } from "../../wire/cri/cri-client.ts";
import { httpCheck } from "../probes/check.ts";
import { checkHttp } from "./network-check.ts";

/** Longest HTTP hook, when nothing else bounds it. */
const HTTP_HOOK_MS_MAX = 30_000;

/**
 * Runs a lifecycle hook of a running container to its end.
 *
 * @throws {Error} it failed; the message is the event's.
 * @spec k8s@1.36 pkg/kubelet/lifecycle/handlers.go
 */
export async function runHook(
  cri: CriClient,
  clock: Clock,
  container: V1Container,
  containerId: string,
  podIp: string,
  handler: V1LifecycleHandler,
): Promise<void> {
  if (handler.exec) {
    const { stdout, stderr, exitCode } = await cri.execSync(
      containerId,
      handler.exec.command ?? [],
      0,
    );
    if (exitCode === 0) return;
    const output = Buffer.concat([stdout, stderr]).toString("utf8").trim();
    const command = (handler.exec.command ?? []).join(" ");
    throw new Error(
      `Exec lifecycle hook ([${command}]) for Container ${JSON.stringify(container.name)} failed - ` +
        `error: command '${command}' exited with ${exitCode}: ${output}`,
    );
  }
  if (handler.httpGet) {
    const check = httpCheck(handler.httpGet, container, podIp);
    const { isSuccess, output } = await checkHttp(check, HTTP_HOOK_MS_MAX);
    if (!isSuccess) throw new Error(`HTTP lifecycle hook failed: ${output}`);
    return;
  }
  if (handler.sleep) await sleep(clock, handler.sleep.seconds * 1000);
}
