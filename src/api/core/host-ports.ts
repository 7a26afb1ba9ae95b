import type { V1Pod } from "../../gen/types.ts";

/** One port of the node that a Pod holds. */
export interface HostPort {
  /** `0.0.0.0` for all addresses. */
  readonly ip: string;
  readonly protocol: string;
  readonly port: number;
}

/** The host ports of all containers that hold one while the Pod runs. */
export function hostPortsOf(pod: V1Pod): readonly HostPort[] {
  const sidecars = (pod.spec?.initContainers ?? []).filter((c) => c.restartPolicy === "Always");
  return [...(pod.spec?.containers ?? []), ...sidecars].flatMap((container) =>
    (container.ports ?? []).flatMap(({ hostPort, hostIP, protocol }) =>
      hostPort ? [{ ip: hostIP || "0.0.0.0", protocol: protocol ?? "TCP", port: hostPort }] : [],
    ),
  );
}

/** True when both cannot be held at once. @spec k8s@1.36 pkg/scheduler/framework HostPortInfo */
export function conflicts(a: HostPort, b: HostPort): boolean {
  const isSameAddress = a.ip === b.ip || a.ip === "0.0.0.0" || b.ip === "0.0.0.0";
  return a.port === b.port && a.protocol === b.protocol && isSameAddress;
}
