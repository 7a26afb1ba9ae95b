import type {
  V1ExemptPriorityLevelConfiguration,
  V1LimitedPriorityLevelConfiguration,
  V1LimitResponse,
  V1PriorityLevelConfiguration,
  V1QueuingConfiguration,
} from "../../gen/types.ts";
import { equalSemantic } from "../machinery/equality.ts";
import { forbidden, invalid, notSupported, required } from "../machinery/field-error.ts";
import { each, inRange, maybe, when, type Errors } from "../strategy/checks.ts";
import { validateConditions } from "./conditions-status.ts";
import { mandatoryPriorityLevels } from "./default-objects.ts";
import { KEEPS_ZERO } from "./older-versions.ts";

/** @spec k8s@1.36 pkg/apis/flowcontrol/validation priorityLevelConfigurationQueuingMaxQueues */
const QUEUES_MAX = 10_000_000;
/** Bits of a hash that shuffle sharding may use up. @spec apiserver util/shufflesharding MaxHashBits */
const HASH_BITS_MAX = 60;

const POSITIVE = "must be positive";
const NON_NEGATIVE = "must be a non-negative integer";

type Spec = NonNullable<V1PriorityLevelConfiguration["spec"]>;

/** @spec k8s@1.36 pkg/apis/flowcontrol/validation ValidatePriorityLevelConfiguration */
export function validatePriorityLevel(level: V1PriorityLevelConfiguration): Errors {
  const name = level.metadata?.name ?? "";
  const spec: Partial<Spec> = level.spec ?? {};
  const isMarked = level.metadata?.annotations?.[KEEPS_ZERO] !== undefined;
  return [
    ...validateSpec(name, spec),
    ...validateFixed(name, spec),
    ...when(
      isMarked,
      forbidden("metadata.annotations", `annotation '${KEEPS_ZERO}' is for v1beta3 only`),
    ),
    ...validateConditions(level),
  ];
}

function validateSpec(name: string, { type = "", limited, exempt }: Partial<Spec>): Errors {
  const rule = "type must be 'Exempt' if and only if name is 'exempt'";
  const mixed = when((name === "exempt") !== (type === "Exempt"), invalid("spec.type", type, rule));
  switch (type) {
    case "Exempt":
      return [
        ...mixed,
        ...when(!!limited, forbidden("spec.limited", "must be nil if the type is not Limited")),
        ...maybe(exempt, (value) => validateShares(value, "spec.exempt")),
      ];
    case "Limited":
      return [
        ...mixed,
        ...when(!!exempt, forbidden("spec.exempt", "must be nil if the type is Limited")),
        ...(limited
          ? validateLimited(limited)
          : [required("spec.limited", "must not be empty when type is Limited")]),
      ];
    default:
      return [...mixed, notSupported("spec.type", type, ["Exempt", "Limited"])];
  }
}

/** @spec ValidateIfMandatoryPriorityLevelConfigurationObject: of `exempt` the shares may be changed */
function validateFixed(name: string, spec: Partial<Spec>): Errors {
  const fixed = mandatoryPriorityLevels.find(({ metadata }) => metadata?.name === name)?.spec;
  if (!fixed) return [];
  if (name !== "exempt") {
    const detail = `spec of '${name}' must equal the fixed value`;
    return when(!equalSemantic(spec, fixed), invalid("spec", spec, detail));
  }
  const detail = `spec of '${name}' except the 'spec.exempt' field must equal the fixed value`;
  const { exempt: _spec, ...have } = spec;
  const { exempt: _fixed, ...want } = fixed;
  return when(!equalSemantic(have, want), invalid("spec", spec, detail));
}

function validateShares(
  { nominalConcurrencyShares, lendablePercent }: V1ExemptPriorityLevelConfiguration,
  path: string,
): Errors {
  const field = `${path}.nominalConcurrencyShares`;
  return [
    ...maybe(nominalConcurrencyShares, (shares) =>
      when(shares < 0, invalid(field, shares, NON_NEGATIVE)),
    ),
    ...inRange(`${path}.lendablePercent`, lendablePercent, 0, 100),
  ];
}

function validateLimited(limited: V1LimitedPriorityLevelConfiguration): Errors {
  const path = "spec.limited";
  const { nominalConcurrencyShares: shares, lendablePercent, borrowingLimitPercent } = limited;
  return [
    ...maybe(shares, (value) =>
      when(value < 0, invalid(`${path}.nominalConcurrencyShares`, value, NON_NEGATIVE)),
    ),
    ...validateResponse(limited.limitResponse ?? { type: "" }, `${path}.limitResponse`),
    ...inRange(`${path}.lendablePercent`, lendablePercent, 0, 100),
    ...maybe(borrowingLimitPercent, (percent) =>
      when(
        percent < 0,
        invalid(`${path}.borrowingLimitPercent`, percent, `if specified, ${NON_NEGATIVE}`),
      ),
    ),
  ];
}

function validateResponse({ type = "", queuing }: V1LimitResponse, path: string): Errors {
  const field = `${path}.queuing`;
  switch (type) {
    case "Reject":
      return when(
        !!queuing,
        forbidden(field, "must be nil if limited.limitResponse.type is not Limited"),
      );
    case "Queue":
      return queuing
        ? validateQueuing(queuing, field)
        : [required(field, "must not be empty if limited.limitResponse.type is Limited")];
    default:
      return [notSupported(`${path}.type`, type, ["Queue", "Reject"])];
  }
}

/** @spec ValidatePriorityLevelQueuingConfiguration */
function validateQueuing(queuing: V1QueuingConfiguration, path: string): Errors {
  const { queues = 0, handSize = 0, queueLengthLimit = 0 } = queuing;
  const positive = each(
    [
      ["queueLengthLimit", queueLengthLimit],
      ["queues", queues],
      ["handSize", handSize],
    ] as const,
    "",
    ([field, value]) => when(value <= 0, invalid(`${path}.${field}`, value, POSITIVE)),
  );
  const tooMany = when(
    queues > QUEUES_MAX,
    invalid(`${path}.queues`, queues, `must not be greater than ${QUEUES_MAX}`),
  );
  return [...positive, ...tooMany, ...(handSize > 0 ? handErrors(queues, handSize, path) : [])];
}

function handErrors(queues: number, handSize: number, path: string): Errors {
  const hand = (detail: string): Errors => [invalid(`${path}.handSize`, handSize, detail)];
  if (handSize > queues) return hand(`should not be greater than queues (${queues})`);
  const bits = Math.ceil(Math.log2(queues) * handSize);
  if (bits <= HASH_BITS_MAX) return [];
  const what = `required entropy bits of deckSize ${queues} and handSize ${handSize}`;
  return hand(`${what} should not be greater than ${HASH_BITS_MAX}`);
}
