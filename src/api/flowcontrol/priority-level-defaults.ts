import type {
  V1LimitedPriorityLevelConfiguration,
  V1PriorityLevelConfiguration,
} from "../../gen/types.ts";
import { fill, mapField, withField } from "../strategy/strategy.ts";

/** @spec k8s@1.36 pkg/apis/flowcontrol/v1/defaults.go */
const QUEUING = { queues: 64, handSize: 8, queueLengthLimit: 50 };

/** Share of a level that names none. @spec k8s@1.36 pkg/apis/flowcontrol/v1/defaults.go */
export const DEFAULT_SHARES = 30;

/** @spec k8s@1.36 pkg/apis/flowcontrol/v1/defaults.go */
export function withPriorityLevelDefaults(
  level: V1PriorityLevelConfiguration,
): V1PriorityLevelConfiguration {
  return mapField(level, "spec", (spec) =>
    mapField(mapField(spec, "limited", withLimits), "exempt", (exempt) =>
      fill(exempt, { nominalConcurrencyShares: 0, lendablePercent: 0 }),
    ),
  );
}

function withLimits(
  limited: V1LimitedPriorityLevelConfiguration,
): V1LimitedPriorityLevelConfiguration {
  const filled = fill(limited, { nominalConcurrencyShares: DEFAULT_SHARES, lendablePercent: 0 });
  return mapField(filled, "limitResponse", (response) =>
    mapField(response, "queuing", (queuing) => {
      let full = queuing;
      for (const field of Object.keys(QUEUING) as (keyof typeof QUEUING)[])
        full = withField(full, field, full[field] || QUEUING[field]);
      return full;
    }),
  );
}
