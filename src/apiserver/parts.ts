import type { SchemaSet } from "../api/machinery/schema.ts";
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import type { MetricRegistry } from "../base/metrics.ts";
import type { Random } from "../base/random.ts";
import type { Store } from "../store/store.ts";
import type { AdmissionPlugin } from "./admission/admission.ts";
import type { Allocator } from "./allocation/allocator.ts";
import type { Authenticator } from "./authn/authenticator.ts";
import type { Authorizer } from "./authz/authorizer.ts";
import type { WatchBody } from "./bodies/watch-body.ts";
import type { ReviewHandler } from "./authz/reviews.ts";
import type { QuotaGate } from "./quota/quota-gate.ts";
import type { WatchCache } from "./registry/watch-cache.ts";
import type { ResourceTable } from "./resource-table.ts";
import type { SubresourceTable } from "./subresources/subresource.ts";

/** Everything that requests are answered with. Made once, by `startApiServer`. */
export interface ServerParts {
  readonly store: Store;
  readonly cache: WatchCache;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: MetricRegistry;
  readonly schemas: SchemaSet;
  readonly resources: ResourceTable;
  readonly authenticators: readonly Authenticator[];
  readonly authorizers: readonly Authorizer[];
  readonly admission: readonly AdmissionPlugin[];
  /** By `GROUP/PLURAL`: what hands out numbers of which there is one set per cluster. */
  readonly allocators: ReadonlyMap<string, Allocator>;
  readonly quotas: QuotaGate;
  /** By `GROUP/PLURAL`: resources that are questions, answered and never stored. */
  readonly reviews: ReadonlyMap<string, ReviewHandler>;
  readonly subresources: SubresourceTable;
  /** Open watches, so that a closing server can end them. */
  readonly watches: Set<WatchBody>;
}
