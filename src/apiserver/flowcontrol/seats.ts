import { isTrue } from "../request-info.ts";
import { KEYS_END, namespaceRange } from "../registry/keys.ts";
import type { ResourceCache } from "../registry/resource-cache.ts";
import type { ApiRequest, RequestInfo } from "../request.ts";
import type { ResourceTable } from "../resource-table.ts";

/** Bytes of a list that one seat stands for. @spec apiserver util/flowcontrol/request/list_work_estimator.go bytesPerSeat */
const SEAT_BYTES = 100_000;
/** Above this the range is not counted, for lists that a namespace narrows: the count alone would cost as much as a GET. */
const COUNT_MIN = 1000;

/**
 * How many seats a request takes: one, or for lists one for each 100 kB, so that ten long lists are not ten requests.
 *
 * @spec k8s@1.36 apiserver util/flowcontrol/request/list_work_estimator.go seatsBasedOnObjectSize; deletecollection counts as list
 */
export function seatsOf(
  resources: ResourceTable,
  request: ApiRequest,
  info: RequestInfo,
  perRequestMax: number,
): number {
  const { verb, name, subresource } = info;
  const isList = verb === "list" || verb === "deletecollection";
  const startsWithList = verb === "watch" && isTrue(request.query.get("sendInitialEvents"));
  if ((!isList && !startsWithList) || name !== "" || subresource !== "") return 1;
  const served = resources.find(info.group, info.version, info.plural);
  const size = served?.cache.versions.size ?? 0;
  if (!served || size === 0) return 1;
  const limit = Number(request.query.get("limit") ?? 0);
  const count = Math.min(limit > 0 ? limit : Infinity, countOf(served.cache, info.namespace, size));
  const bytes = (served.cache.bytes / size) * count;
  return Math.max(1, Math.min(perRequestMax, Math.ceil(bytes / SEAT_BYTES)));
}

function countOf({ versions }: ResourceCache, namespace: string, size: number): number {
  if (namespace === "" || size < COUNT_MIN) return size;
  const [from, to] = namespaceRange(namespace);
  return versions.count(from, to ?? KEYS_END);
}
