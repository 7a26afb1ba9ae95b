import type { V1Probe } from "../../gen/types.ts";
import type { CriClient } from "../../wire/cri/cri-client.ts";
import { GrpcChannel, type Method } from "../../wire/grpc/channel.ts";
import { messageCodecs } from "../../wire/protobuf/codec.ts";
import { checkOf, type Check } from "../probes/check.ts";
import type { ProbeAnswer, ProbedContainer } from "../probes/prober.ts";
import { checkHttp, checkTcp, type CheckResult } from "./network-check.ts";

/** @spec grpc/grpc health/v1/health.proto */
const health = messageCodecs({
  HealthCheckRequest: "service:string=1",
  HealthCheckResponse: "status:int=1",
});
const HEALTH_CHECK: Method<{ readonly service: string }, { readonly status: number }> = {
  path: "/grpc.health.v1.Health/Check",
  request: health("HealthCheckRequest"),
  response: health("HealthCheckResponse"),
};
const SERVING = 1;

/** Asks one probe's question of one container. Never throws. */
export async function ask(
  cri: CriClient,
  podIp: string,
  container: ProbedContainer,
  probe: V1Probe,
): Promise<ProbeAnswer> {
  const timeoutSeconds = probe.timeoutSeconds ?? 1;
  try {
    const check = checkOf(probe, container.spec, podIp);
    return await perform(cri, container.id, check, timeoutSeconds);
  } catch (error) {
    return { isSuccess: false, isError: true, output: (error as Error).message };
  }
}

function perform(
  cri: CriClient,
  containerId: string,
  check: Check,
  timeoutSeconds: number,
): Promise<CheckResult> {
  switch (check.kind) {
    case "exec":
      return checkExec(cri, containerId, check.command, timeoutSeconds);
    case "http":
      return checkHttp(check.check, timeoutSeconds * 1000);
    case "tcp":
      return checkTcp(check.host, check.port, timeoutSeconds * 1000);
    case "grpc":
      return checkGrpc(check.host, check.port, check.service, timeoutSeconds * 1000);
  }
}

async function checkExec(
  cri: CriClient,
  containerId: string,
  command: readonly string[],
  timeoutSeconds: number,
): Promise<CheckResult> {
  try {
    const { stdout, stderr, exitCode } = await cri.execSync(containerId, command, timeoutSeconds);
    return { isSuccess: exitCode === 0, output: Buffer.concat([stdout, stderr]).toString("utf8") };
  } catch (error) {
    if (!/timed out|deadline/i.test((error as Error).message)) throw error;
    const output = `command timed out: ${JSON.stringify(command.join(" "))} timed out after ${timeoutSeconds}s`;
    return { isSuccess: false, output };
  }
}

/** A connection of its own each time, as upstream makes it. @spec k8s@1.36 pkg/probe/grpc/grpc.go */
async function checkGrpc(
  host: string,
  port: number,
  service: string,
  deadlineMs: number,
): Promise<CheckResult> {
  const address = `${host.includes(":") ? `[${host}]` : host}:${port}`;
  const channel = new GrpcChannel(address);
  try {
    const { status } = await channel.call(HEALTH_CHECK, { service }, { deadlineMs });
    const isSuccess = status === SERVING;
    return {
      isSuccess,
      output: isSuccess
        ? "service healthy"
        : `service unhealthy (responded with ${JSON.stringify(statusName(status))})`,
    };
  } catch (error) {
    const message = (error as Error).message;
    return { isSuccess: false, output: `error: health rpc probe failed: ${message}` };
  } finally {
    channel.close();
  }
}

function statusName(status: number): string {
  return ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"][status] ?? "UNKNOWN";
}
