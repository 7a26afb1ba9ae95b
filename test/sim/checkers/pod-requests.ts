import { quantityMillis, quantityUnits } from "../../../src/api/machinery/quantity.ts";
import type { V1Container, V1Node, V1Pod } from "../../../src/gen/types.ts";

/** What is counted on a node. */
export interface Amounts {
  readonly cpuMillis: number;
  readonly memoryBytes: number;
  readonly pods: number;
}

/** What one Pod takes: its containers together, or its largest init container. Sidecars are not made in worlds. */
export function requestsOf({ spec }: V1Pod): Amounts {
  const sum = (name: string, measure: (text: string) => number): number => {
    const of = ({ resources }: V1Container): number => measure(resources?.requests?.[name] ?? "0");
    const together = (spec?.containers ?? []).map(of).reduce((a, b) => a + b, 0);
    return Math.max(together, ...(spec?.initContainers ?? []).map(of));
  };
  return {
    cpuMillis: sum("cpu", quantityMillis),
    memoryBytes: sum("memory", quantityUnits),
    pods: 1,
  };
}

/** What a node has to give. */
export function allocatableOf({ status }: V1Node): Amounts {
  const { cpu = "0", memory = "0", pods = "0" } = status?.allocatable ?? {};
  return {
    cpuMillis: quantityMillis(cpu),
    memoryBytes: quantityUnits(memory),
    pods: quantityUnits(pods),
  };
}

/** What these Pods take together beyond `room`, in words; "" when they fit. */
export function excess(pods: readonly V1Pod[], room: Amounts): string {
  const taken = pods.map(requestsOf);
  const over = (["cpuMillis", "memoryBytes", "pods"] as const).flatMap((name) => {
    const sum = taken.reduce((total, amounts) => total + amounts[name], 0);
    return sum > room[name] ? [`${name} ${sum} of ${room[name]}`] : [];
  });
  const ports = pods.flatMap(hostPortsOf);
  const twice = ports.filter((port, index) => ports.indexOf(port) !== index);
  return [...over, ...twice.map((port) => `host port ${port} twice`)].join(", ");
}

function hostPortsOf({ spec }: V1Pod): readonly number[] {
  return (spec?.containers ?? []).flatMap(({ ports = [] }) =>
    ports.flatMap(({ hostPort }) => (hostPort === undefined ? [] : [hostPort])),
  );
}

/** Its containers have ended for good. */
export function isOver({ status }: V1Pod): boolean {
  return status?.phase === "Succeeded" || status?.phase === "Failed";
}
