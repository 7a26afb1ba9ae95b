import type {
  ComposeV1alpha3ServiceConfig,
  ComposeV1alpha3Stack,
  ComposeV1alpha3StackStatus,
} from "../../gen/types.ts";
import { equalSemantic } from "../machinery/equality.ts";
import type { Kind } from "../machinery/kind.ts";
import type { Resource } from "../machinery/resource.ts";
import { defaultColumns, integerColumn, nameColumn, textColumn } from "../strategy/columns.ts";
import { statusStrategy, statusSubresource } from "../strategy/strategy.ts";
import { olderStacks } from "./older-versions.ts";
import { validateStack } from "./stack-validation.ts";

export type Stack = ComposeV1alpha3Stack;

/** A service of a compose file. Not the kind `Service`. */
export type ComposeService = ComposeV1alpha3ServiceConfig;

export type StackStatus = ComposeV1alpha3StackStatus;

export const Stack: Kind<Stack> = {
  group: "compose.docker.com",
  version: "v1alpha3",
  kind: "Stack",
  plural: "stacks",
  isNamespaced: true,
};

/** Of a stack whose present spec the controller has not seen: the docker CLI takes an older Failure for the new one's. */
const PENDING: StackStatus = {
  phase: "ReconciliationPending",
  message: "The stack waits for its controller",
};

/** @spec compose-on-kubernetes internal/registry strategy.go, tableconverter.go */
export const stackResource: Resource<Stack> = {
  kind: Stack,
  singular: "stack",
  strategy: statusStrategy<Stack>(
    { initialStatus: PENDING, countsGenerations: true },
    {
      prepareForUpdate: (stack, old) =>
        equalSemantic(stack.spec, old.spec) ? stack : { ...stack, status: PENDING },
      validate: validateStack,
    },
  ),
  subresources: { status: statusSubresource<Stack>() },
  olderVersions: olderStacks,
  columns: [
    nameColumn(),
    integerColumn(
      "Services",
      "How many services it has",
      ({ spec }) => spec?.services?.length ?? 0,
    ),
    textColumn("Ports", "Published ports of its services, * for any", portsText),
    textColumn("Status", "What has become of it", statusText),
    ...defaultColumns<Stack>().slice(1),
  ],
};

/** `web: 80,*, api: 8080` */
function portsText({ spec }: Stack): string {
  return (spec?.services ?? [])
    .filter(({ ports = [] }) => ports.length > 0)
    .map(
      ({ name, ports = [] }) =>
        `${name}: ${ports.map(({ published }) => published || "*").join(",")}`,
    )
    .join(", ");
}

function statusText({ status }: Stack): string {
  const { phase = "", message } = status ?? {};
  return message ? `${phase} (${message})` : phase;
}
