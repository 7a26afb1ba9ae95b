import type {
  CoreV1EndpointPort,
  V1EndpointAddress,
  V1Endpoints,
  V1EndpointSubset,
} from "../../gen/types.ts";
import { required } from "../machinery/field-error.ts";
import {
  validateDnsLabel,
  validateDnsSubdomain,
  validateQualifiedName,
} from "../machinery/names.ts";
import {
  each,
  invalids,
  ipAddress,
  maybe,
  portNumber,
  requiredOneOf,
  when,
  type Errors,
} from "../strategy/checks.ts";
import { validateNonSpecialIp } from "./service-validation.ts";

/** @spec k8s@1.36 pkg/apis/core/validation ValidateEndpoints */
export function validateEndpoints({ subsets }: V1Endpoints): Errors {
  return each(subsets, "subsets", validateSubset);
}

function validateSubset(subset: V1EndpointSubset, path: string): Errors {
  const { addresses = [], notReadyAddresses = [], ports = [] } = subset;
  const rule = "must specify `addresses` or `notReadyAddresses`";
  return [
    ...when(addresses.length + notReadyAddresses.length === 0, required(path, rule)),
    ...each(addresses, `${path}.addresses`, validateAddress),
    ...each(notReadyAddresses, `${path}.notReadyAddresses`, validateAddress),
    ...each(ports, `${path}.ports`, (port, item) => validatePort(port, ports.length > 1, item)),
  ];
}

function validateAddress({ ip, hostname, nodeName }: V1EndpointAddress, path: string): Errors {
  const shape = ipAddress(`${path}.ip`, ip ?? "");
  return [
    ...shape,
    ...(hostname ? invalids(`${path}.hostname`, hostname, validateDnsLabel(hostname)) : []),
    ...maybe(nodeName, (name) => invalids(`${path}.nodeName`, name, validateDnsSubdomain(name))),
    ...(shape.length > 0 ? [] : validateNonSpecialIp(`${path}.ip`, ip)),
  ];
}

function validatePort(port: CoreV1EndpointPort, needsName: boolean, path: string): Errors {
  return [
    ...(port.name
      ? invalids(`${path}.name`, port.name, validateDnsLabel(port.name))
      : when(needsName, required(`${path}.name`))),
    ...portNumber(`${path}.port`, port.port),
    ...requiredOneOf(`${path}.protocol`, port.protocol, ["SCTP", "TCP", "UDP"]),
    ...maybe(port.appProtocol, (name) =>
      invalids(`${path}.appProtocol`, name, validateQualifiedName(name)),
    ),
  ];
}
