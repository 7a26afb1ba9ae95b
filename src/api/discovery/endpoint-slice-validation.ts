import type { DiscoveryV1EndpointPort, V1Endpoint, V1EndpointSlice } from "../../gen/types.ts";
import { validateNonSpecialIp } from "../core/service-validation.ts";
import { duplicate, invalid, required, tooMany } from "../machinery/field-error.ts";
import {
  validateDnsLabel,
  validateDnsSubdomain,
  validateLabelValue,
  validateQualifiedName,
} from "../machinery/names.ts";
import { FIELD_IMMUTABLE } from "../machinery/object-meta-validation.ts";
import {
  each,
  inRange,
  invalids,
  maybe,
  requiredOneOf,
  when,
  type Errors,
} from "../strategy/checks.ts";
import { isIpv4, isIpv6 } from "../strategy/ip.ts";

/** Upstream's limits: a slice is sent whole with every change. @spec k8s@1.36 pkg/apis/discovery/validation */
const ENDPOINTS_MAX = 1000;
const ADDRESSES_MAX = 100;
const PORTS_MAX = 20000;
const HINTS_MAX = 8;

/** @spec ValidateEndpointSlice */
export function validateEndpointSlice(slice: V1EndpointSlice): Errors {
  const { addressType, endpoints = [], ports = [] } = slice;
  return [
    ...requiredOneOf("addressType", addressType, ["FQDN", "IPv4", "IPv6"]),
    ...(endpoints.length > ENDPOINTS_MAX
      ? [tooMany("endpoints", endpoints.length, ENDPOINTS_MAX)]
      : each(endpoints, "endpoints", (endpoint, path) =>
          validateEndpoint(endpoint, addressType, path),
        )),
    ...(ports.length > PORTS_MAX
      ? [tooMany("ports", ports.length, PORTS_MAX)]
      : validatePorts(ports)),
  ];
}

/** @spec ValidateEndpointSliceUpdate */
export function validateEndpointSliceChange(slice: V1EndpointSlice, old: V1EndpointSlice): Errors {
  return when(
    slice.addressType !== old.addressType,
    invalid("addressType", slice.addressType, FIELD_IMMUTABLE),
  );
}

function validateEndpoint(endpoint: V1Endpoint, addressType: string, path: string): Errors {
  const { addresses = [], hostname, nodeName, hints } = endpoint;
  const field = `${path}.addresses`;
  return [
    ...when(addresses.length === 0, required(field, "must contain at least 1 address")),
    ...when(addresses.length > ADDRESSES_MAX, tooMany(field, addresses.length, ADDRESSES_MAX)),
    ...each(addresses, field, (address, item) => validateAddress(address, addressType, item)),
    ...maybe(nodeName, (name) => invalids(`${path}.nodeName`, name, validateDnsSubdomain(name))),
    ...maybe(hostname, (name) => invalids(`${path}.hostname`, name, validateDnsLabel(name))),
    ...validateHints(hints?.forZones, `${path}.hints.forZones`, validateLabelValue),
    ...validateHints(hints?.forNodes, `${path}.hints.forNodes`, validateDnsSubdomain),
  ];
}

function validateHints(
  hints: readonly { readonly name?: string }[] = [],
  path: string,
  problemsOf: (name: string) => readonly string[],
): Errors {
  if (hints.length > HINTS_MAX) return [tooMany(path, hints.length, HINTS_MAX)];
  const seen = new Set<string>();
  return each(hints, path, ({ name = "" }, item) => {
    const isKnown = seen.has(name);
    seen.add(name);
    return [
      ...when(isKnown, duplicate(`${item}.name`, name)),
      ...invalids(`${item}.name`, name, problemsOf(name)),
    ];
  });
}

function validateAddress(address: string, addressType: string, path: string): Errors {
  switch (addressType) {
    case "IPv4":
      return isIpv4(address)
        ? validateNonSpecialIp(path, address)
        : [invalid(path, address, "must be a valid IPv4 address")];
    case "IPv6":
      return isIpv6(address)
        ? validateNonSpecialIp(path, address)
        : [invalid(path, address, "must be a valid IPv6 address")];
    case "FQDN": {
      const messages = validateDnsSubdomain(address.replace(/\.$/, ""));
      const tooFew = "should be a domain with at least two segments separated by dots";
      const hasDots = address.replace(/\.$/, "").includes(".");
      return [
        ...invalids(path, address, messages),
        ...when(messages.length === 0 && !hasDots, invalid(path, address, tooFew)),
      ];
    }
    default:
      return [];
  }
}

function validatePorts(ports: readonly DiscoveryV1EndpointPort[]): Errors {
  const seen = new Set<string>();
  return each(ports, "ports", ({ name = "", protocol, port, appProtocol }, path) => {
    const isKnown = seen.has(name);
    seen.add(name);
    return [
      ...(name ? invalids(`${path}.name`, name, validateDnsLabel(name)) : []),
      ...when(isKnown, duplicate(`${path}.name`, name)),
      ...inRange(`${path}.port`, port, 1, 65535),
      ...requiredOneOf(`${path}.protocol`, protocol, ["SCTP", "TCP", "UDP"]),
      ...maybe(appProtocol, (text) =>
        invalids(`${path}.appProtocol`, text, validateQualifiedName(text)),
      ),
    ];
  });
}
