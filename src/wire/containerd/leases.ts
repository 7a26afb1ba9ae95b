import { GrpcChannel, type Method } from "../grpc/channel.ts";
import { messageCodecs } from "../protobuf/codec.ts";
import { CRI_NAMESPACE } from "./events.ts";

/** @spec containerd@1.6 api/services/leases/v1/leases.proto */
const messages = messageCodecs({
  CreateRequest: "id:string=1 labels:map=3",
  DeleteRequest: "id:string=1 sync:bool=2",
  Empty: "",
});

const create: Method<{ id: string; labels: Record<string, string> }, object> = {
  path: "/containerd.services.leases.v1.Leases/Create",
  request: messages("CreateRequest"),
  response: messages("Empty"),
};

const remove: Method<{ id: string; sync: boolean }, object> = {
  path: "/containerd.services.leases.v1.Leases/Delete",
  request: messages("DeleteRequest"),
  response: messages("Empty"),
};

/** Longest life of a lease whose holder died: what it kept then becomes garbage. Longer than any load takes. */
const LEASE_MS_MAX = 24 * 60 * 60 * 1000;

/**
 * Runs `body` with a channel of the namespace `k8s.io` whose calls all go under one lease: what they make is no garbage
 * before `body` ends.
 *
 * @shape `endpoint`: `unix:///path`. `id`: unique among leases. `now`: wall clock, for the lease's expiry.
 */
export async function withLease<T>(
  endpoint: string,
  id: string,
  now: number,
  body: (channel: GrpcChannel) => Promise<T>,
): Promise<T> {
  const namespace = { "containerd-namespace": CRI_NAMESPACE };
  const channel = new GrpcChannel(endpoint, { ...namespace, "containerd-lease": id });
  try {
    const expiry = new Date(now + LEASE_MS_MAX).toISOString();
    await channel.call(create, { id, labels: { "containerd.io/gc.expire": expiry } });
    try {
      return await body(channel);
    } finally {
      await channel.call(remove, { id, sync: false });
    }
  } finally {
    channel.close();
  }
}
