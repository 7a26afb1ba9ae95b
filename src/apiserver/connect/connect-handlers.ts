import type { Clock } from "../../base/clock.ts";
import { Backends } from "../../wire/http-proxy/backend.ts";
import type { SubresourceHandler } from "../subresources/subresource.ts";
import { podLog } from "./pod-log.ts";
import { podStreams } from "./pod-stream.ts";
import { proxies } from "./proxy.ts";
import { isReachable } from "./reachable.ts";

export interface ConnectOptions {
  readonly clock: Clock;
  /** PEM: what signs kubelets' serving certificates. */
  readonly ca: string;
  /** PEM: who the API server is to kubelets. */
  readonly clientCert: string;
  readonly clientKey: string;
  /** Which addresses the proxies may reach. Default {@link isReachable}. */
  readonly isReachable?: (address: string) => boolean;
}

/** All subresources that pass a request on to a kubelet, a pod or a service. */
export function connectHandlers(options: ConnectOptions): readonly SubresourceHandler[] {
  const { clock, ca, clientCert: cert, clientKey: key } = options;
  const verified = new Backends(clock, { ca, cert, key });
  const unverified = new Backends(clock, { cert, key });
  const reach = {
    kubelets: verified,
    others: new Backends(clock, {}),
    isReachable: options.isReachable ?? isReachable,
  };
  return [podLog({ verified, unverified }), ...podStreams(verified), ...proxies(reach)];
}
