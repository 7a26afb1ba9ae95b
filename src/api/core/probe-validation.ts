import type {
  V1Container,
  V1HTTPGetAction,
  V1Lifecycle,
  V1LifecycleHandler,
  V1Probe,
} from "../../gen/types.ts";
import { errorsOfEach, forbidden, invalid, required } from "../machinery/field-error.ts";
import { validateHttpHeaderName, validatePortName } from "../machinery/names.ts";
import {
  fieldsSet,
  invalids,
  maybe,
  nonNegative,
  oneOf,
  portNumber,
  requiredText,
  when,
  type Errors,
} from "../strategy/checks.ts";

const HANDLERS = ["exec", "httpGet", "tcpSocket", "grpc", "sleep"] as const;
const SIGNAL = /^SIG(RTM(IN|AX)[+-]?\d*|[A-Z0-9]+)$/;

type Handlers = Pick<V1Probe, "exec" | "httpGet" | "tcpSocket" | "grpc"> &
  Pick<V1LifecycleHandler, "sleep">;

/** Probes and hooks of a container that lives as long as its pod. @spec k8s@1.36 pkg/apis/core/validation */
export function validateProbesAndHooks(
  container: V1Container,
  graceSeconds: number,
  field: string,
): Errors {
  const { livenessProbe, readinessProbe, startupProbe, lifecycle } = container;
  return [
    ...maybe(lifecycle, (hooks) => validateLifecycle(hooks, graceSeconds, `${field}.lifecycle`)),
    ...maybe(livenessProbe, (probe) => [
      ...validateProbe(probe, graceSeconds, `${field}.livenessProbe`),
      ...onlyOnce(probe, `${field}.livenessProbe`),
    ]),
    ...maybe(readinessProbe, (probe) => [
      ...validateProbe(probe, graceSeconds, `${field}.readinessProbe`),
      ...when(
        probe.terminationGracePeriodSeconds !== undefined,
        invalid(
          `${field}.readinessProbe.terminationGracePeriodSeconds`,
          probe.terminationGracePeriodSeconds,
          "must not be set for readinessProbes",
        ),
      ),
    ]),
    ...maybe(startupProbe, (probe) => [
      ...validateProbe(probe, graceSeconds, `${field}.startupProbe`),
      ...onlyOnce(probe, `${field}.startupProbe`),
    ]),
  ];
}

/** Init containers run to their end, so nothing can be asked of them while they run. */
export function validateNoProbesOrHooks(container: V1Container, field: string): Errors {
  return (["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"] as const).flatMap(
    (part) =>
      when(
        container[part] !== undefined,
        forbidden(
          `${field}.${part}`,
          "may not be set for init containers without restartPolicy=Always",
        ),
      ),
  );
}

function validateProbe(probe: V1Probe, graceSeconds: number, field: string): Errors {
  const grace = probe.terminationGracePeriodSeconds;
  return [
    ...validateHandler(probe, graceSeconds, field),
    ...nonNegative(`${field}.initialDelaySeconds`, probe.initialDelaySeconds),
    ...nonNegative(`${field}.timeoutSeconds`, probe.timeoutSeconds),
    ...nonNegative(`${field}.periodSeconds`, probe.periodSeconds),
    ...nonNegative(`${field}.successThreshold`, probe.successThreshold),
    ...nonNegative(`${field}.failureThreshold`, probe.failureThreshold),
    ...when(
      grace !== undefined && grace <= 0,
      invalid(`${field}.terminationGracePeriodSeconds`, grace, "must be greater than 0"),
    ),
  ];
}

function onlyOnce({ successThreshold }: V1Probe, field: string): Errors {
  return when(
    successThreshold !== undefined && successThreshold !== 1,
    invalid(`${field}.successThreshold`, successThreshold, "must be 1"),
  );
}

function validateLifecycle(hooks: V1Lifecycle, graceSeconds: number, field: string): Errors {
  return [
    ...maybe(hooks.postStart, (hook) => validateHandler(hook, graceSeconds, `${field}.postStart`)),
    ...maybe(hooks.preStop, (hook) => validateHandler(hook, graceSeconds, `${field}.preStop`)),
    ...maybe(hooks.stopSignal, (signal) =>
      when(!SIGNAL.test(signal), invalid(`${field}.stopSignal`, signal, "must be a signal name")),
    ),
  ];
}

function validateHandler(handlers: Handlers, graceSeconds: number, field: string): Errors {
  const given = HANDLERS.filter((name) => fieldsSet(handlers).includes(name));
  const [first, ...more] = given;
  if (first === undefined) return [required(field, "must specify a handler type")];
  return [
    ...validateAction(first, handlers, graceSeconds, `${field}.${first}`),
    ...more.map((name) =>
      forbidden(`${field}.${name}`, "may not specify more than 1 handler type"),
    ),
  ];
}

function validateAction(
  name: (typeof HANDLERS)[number],
  handlers: Handlers,
  graceSeconds: number,
  field: string,
): Errors {
  switch (name) {
    case "exec": {
      const isEmpty = (handlers.exec?.command ?? []).length === 0;
      return when(isEmpty, required(`${field}.command`));
    }
    case "httpGet":
      return maybe(handlers.httpGet, (action) => validateHttpGet(action, field));
    case "tcpSocket":
      return validatePort(handlers.tcpSocket?.port, `${field}.port`);
    case "grpc":
      return portNumber(`${field}.port`, handlers.grpc?.port ?? 0);
    case "sleep": {
      const seconds = handlers.sleep?.seconds ?? 0;
      const rule = `must be non-negative and less than terminationGracePeriodSeconds (${graceSeconds})`;
      return when(seconds < 0 || seconds > graceSeconds, invalid(field, seconds, rule));
    }
  }
}

function validateHttpGet(action: V1HTTPGetAction, field: string): Errors {
  return [
    ...requiredText(`${field}.path`, action.path),
    ...validatePort(action.port, `${field}.port`),
    ...oneOf(`${field}.scheme`, action.scheme ?? "", ["HTTP", "HTTPS"]),
    ...errorsOfEach(action.httpHeaders ?? [], ({ name }) =>
      invalids(`${field}.httpHeaders`, name, validateHttpHeaderName(name ?? "")),
    ),
  ];
}

/** A number, or the name of one of the container's ports. */
export function validatePort(port: number | string | undefined, field: string): Errors {
  return typeof port === "string"
    ? invalids(field, port, validatePortName(port))
    : portNumber(field, port ?? 0);
}
