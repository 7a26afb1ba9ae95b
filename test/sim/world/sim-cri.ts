import type { Clock } from "../../../src/base/clock.ts";
import { sleep } from "../../../src/base/clock.ts";
import type { Random } from "../../../src/base/random.ts";
import type { CriClient } from "../../../src/wire/cri/cri-client.ts";
import type { WatchRuntime } from "../../../src/kubelet/runtime-events.ts";
import { RpcError } from "../../../src/wire/grpc/channel.ts";
import type { ScriptedCri } from "../../support/scripted-cri.ts";
import type { SimProcess } from "./sim-process.ts";

/** How bad the runtime of one node is; each may be changed at any time. */
export interface RuntimeFaults {
  /** Before and after each call that changes something. */
  delayMsMax: number;
  /** Calls that fail before they do anything. */
  failPercent: number;
  /** Calls that are carried out and whose answer is an error. */
  lostAnswerPercent: number;
}

/** A runtime that nothing ails. */
export const SOUND_RUNTIME: RuntimeFaults = {
  delayMsMax: 50,
  failPercent: 0,
  lostAnswerPercent: 0,
};

/** Calls that change something or take their time; the others answer at once, as reads of memory do. */
const SLOW = new Set<string>([
  "runSandbox",
  "stopSandbox",
  "removeSandbox",
  "createContainer",
  "startContainer",
  "stopContainer",
  "removeContainer",
  "execSync",
  "pullImage",
] satisfies (keyof CriClient)[]);

/** What a kubelet process calls its node's runtime through. */
export interface RuntimeLink {
  readonly cri: CriClient;
  readonly watch: WatchRuntime;
}

/** What a link tells of each call that may have changed something. */
export type OnCall = (method: string, outcome: string) => void;

/** The link of one kubelet process to the runtime of its node: late or broken by chance, dead with the process. */
export function runtimeLink(
  runtime: ScriptedCri,
  process: SimProcess,
  clock: Clock,
  random: Random,
  faults: RuntimeFaults,
  onCall: OnCall,
): RuntimeLink {
  const pause = (): Promise<void> => sleep(clock, random.integer(faults.delayMsMax + 1));
  const happens = (percent: number): boolean => random.integer(100) < percent;
  const slowly = async (method: string, call: () => Promise<unknown>): Promise<unknown> => {
    await process.living(pause());
    if (happens(faults.failPercent)) {
      onCall(method, "refused");
      throw new RpcError("UNAVAILABLE", `${method}: the runtime is busy`);
    }
    // Not held back by the caller's death: the runtime goes on.
    const result = call().then(
      (value) => {
        onCall(method, typeof value === "string" ? value.replace(/^0+/, "#") : "done");
        return value;
      },
      (error: Error) => {
        onCall(method, error.message);
        throw error;
      },
    );
    await process.living(result);
    await process.living(pause());
    if (happens(faults.lostAnswerPercent))
      throw new RpcError("DEADLINE_EXCEEDED", `${method}: no answer`);
    return result;
  };
  const cri = new Proxy(runtime, {
    get(target, name: keyof CriClient) {
      const method = target[name] as (...args: unknown[]) => Promise<unknown>;
      return (...args: unknown[]) => {
        const call = (): Promise<unknown> => method.apply(target, args);
        return SLOW.has(name) ? slowly(name, call) : process.living(Promise.resolve(call()));
      };
    },
  });
  const watch: WatchRuntime = async function* (signal) {
    for await (const event of runtime.watch(signal)) {
      await process.living(Promise.resolve());
      yield event;
    }
  };
  return { cri, watch };
}
