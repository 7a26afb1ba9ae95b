/**
 * What names, labels and keys may look like. Each function returns upstream's messages: none when the text is fine.
 *
 * @spec k8s@1.36 apimachinery util/validation, api/validate/content, api/validation/generic.go
 */

/** Messages, in upstream's order; empty: valid. */
export type Messages = readonly string[];

const NONE: Messages = [];

const LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const SUBDOMAIN = `${LABEL}(\\.${LABEL})*`;
const LABEL_1035 = "[a-z]([-a-z0-9]*[a-z0-9])?";
const LABEL_UNDERSCORE = "_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?";
const SUBDOMAIN_UNDERSCORE = `${LABEL_UNDERSCORE}(\\.${LABEL_UNDERSCORE})*`;
const QUALIFIED = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";

/** Bytes; longest DNS label. @spec RFC 1123 */
export const LABEL_BYTES_MAX = 63;
/** Bytes; longest DNS name. @spec RFC 1123 */
export const SUBDOMAIN_BYTES_MAX = 253;

/** A pattern with upstream's explanation and the text of the pattern as the message shows it. */
interface Format {
  readonly pattern: RegExp;
  readonly bytesMax?: number;
  readonly message: string;
}

function format(
  source: string,
  explanation: string,
  examples: readonly string[],
  bytesMax?: number,
): Format {
  return {
    pattern: new RegExp(`^(?:${source})$`),
    message: regexMessage(explanation, source, ...examples),
    ...(bytesMax === undefined ? {} : { bytesMax }),
  };
}

/** `… (e.g. 'a', or 'b', regex used for validation is '…')` @spec content.RegexError */
export function regexMessage(explanation: string, source: string, ...examples: string[]): string {
  const shown = examples.map((example) => `'${example}', `).join(" or ");
  const lead = examples.length === 0 ? "" : `e.g. ${shown}`;
  return `${explanation} (${lead}regex used for validation is '${source}')`;
}

/** @spec content.MaxLenError */
function maxLengthMessage(bytesMax: number): string {
  return `must be no more than ${bytesMax} bytes`;
}

function check(text: string, { pattern, bytesMax, message }: Format): Messages {
  const isTooLong = bytesMax !== undefined && byteLength(text) > bytesMax;
  // No pattern here backtracks more than its text is long, so length needs no bound of its own.
  const isMatch = pattern.test(text);
  if (isMatch && !isTooLong) return NONE;
  return [...(isTooLong ? [maxLengthMessage(bytesMax)] : []), ...(isMatch ? [] : [message])];
}

function byteLength(text: string): number {
  return Buffer.byteLength(text);
}

const DNS_LABEL = format(
  LABEL,
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', " +
    "and must start and end with an alphanumeric character",
  ["my-name", "123-abc"],
  LABEL_BYTES_MAX,
);
const DNS_SUBDOMAIN = format(
  SUBDOMAIN,
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', " +
    "and must start and end with an alphanumeric character",
  ["example.com"],
  SUBDOMAIN_BYTES_MAX,
);
const DNS_SUBDOMAIN_UNDERSCORE = format(
  SUBDOMAIN_UNDERSCORE,
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', " +
    "and must start and end with an alphanumeric character",
  ["example.com"],
  SUBDOMAIN_BYTES_MAX,
);
const DNS_LABEL_1035 = format(
  LABEL_1035,
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', " +
    "start with an alphabetic character, and end with an alphanumeric character",
  ["my-name", "abc-123"],
  LABEL_BYTES_MAX,
);
const WILDCARD_SUBDOMAIN = format(
  `\\*\\.${SUBDOMAIN}`,
  "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, " +
    "which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
  ["*.example.com"],
  SUBDOMAIN_BYTES_MAX,
);
const KEY_NAME = format(
  QUALIFIED,
  "must consist of alphanumeric characters, '-', '_' or '.', " +
    "and must start and end with an alphanumeric character",
  ["MyName", "my.name", "123-abc"],
  LABEL_BYTES_MAX,
);
const LABEL_VALUE = format(
  `(${QUALIFIED})?`,
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', " +
    "and must start and end with an alphanumeric character",
  ["MyValue", "my_value", "12345"],
  LABEL_BYTES_MAX,
);
const ENV_NAME = format(
  "[-._a-zA-Z][-._a-zA-Z0-9]*",
  "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', " +
    "and must not start with a digit",
  ["my.env-name", "MY_ENV.NAME", "MyEnvName1"],
);
const CONFIG_KEY = format(
  "[-._a-zA-Z0-9]+",
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
  ["key.name", "KEY_NAME", "key-name"],
  SUBDOMAIN_BYTES_MAX,
);
const C_IDENTIFIER = format(
  "[A-Za-z_][A-Za-z0-9_]*",
  "a valid C identifier must start with alphabetic character or '_', " +
    "followed by a string of alphanumeric characters or '_'",
  ["my_name", "MY_NAME", "MyName"],
);
const HTTP_HEADER = format(
  "[-A-Za-z0-9]+",
  "a valid HTTP header must consist of alphanumeric characters or '-'",
  ["X-Header-Name"],
);
const PERCENT = format(
  "[0-9]+%",
  "a valid percent string must be a numeric string followed by an ending '%'",
  ["1%", "93%"],
);

/** One part of a DNS name: Services' ports, namespaces, container names. @spec IsDNS1123Label */
export function validateDnsLabel(text: string): Messages {
  const messages = check(text, DNS_LABEL);
  if (messages.length === 0 || !DNS_SUBDOMAIN.pattern.test(text)) return messages;
  return messages.map((message) =>
    message === DNS_LABEL.message ? "must not contain dots" : message,
  );
}

/** A DNS name: most objects' names. @spec IsDNS1123Subdomain */
export function validateDnsSubdomain(text: string): Messages {
  return check(text, DNS_SUBDOMAIN);
}

/** A DNS name in which labels may hold `_`. @spec IsDNS1123SubdomainWithUnderscore */
export function validateDnsSubdomainWithUnderscore(text: string): Messages {
  return check(text, DNS_SUBDOMAIN_UNDERSCORE);
}

/** A DNS label that begins with a letter: Services' names. @spec IsDNS1035Label */
export function validateDns1035Label(text: string): Messages {
  return check(text, DNS_LABEL_1035);
}

/** `*.` and a DNS name: hosts of Ingresses. @spec IsWildcardDNS1123Subdomain */
export function validateWildcardDnsSubdomain(text: string): Messages {
  return check(text, WILDCARD_SUBDOMAIN);
}

/** `name` or `dns.prefix/name`: label keys, annotation keys, finalizers, conditions. @spec content.IsLabelKey */
export function validateQualifiedName(text: string): Messages {
  const parts = text.split("/", 3);
  if (parts.length > 2)
    return [
      `a valid label key ${KEY_NAME.message} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ];
  const name = parts.at(-1)!;
  return [
    ...(parts.length === 2 ? prefixMessages(parts[0]!) : NONE),
    ...(name === "" ? ["name part must be non-empty"] : NONE),
    ...check(name, KEY_NAME).map((message) => `name part ${message}`),
  ];
}

function prefixMessages(prefix: string): Messages {
  if (prefix === "") return ["prefix part must be non-empty"];
  return validateDnsSubdomain(prefix).map((message) => `prefix part ${message}`);
}

/** A label's value; may be empty. @spec content.IsLabelValue */
export function validateLabelValue(text: string): Messages {
  return check(text, LABEL_VALUE);
}

/** A port of TCP, UDP or SCTP, not 0. @spec IsValidPortNum */
export function validatePortNumber(port: number): Messages {
  return validateRange(port, 1, 65535);
}

/** `must be between 1 and 65535, inclusive` @spec IsInRange */
export function validateRange(value: number, min: number, max: number): Messages {
  return value >= min && value <= max ? NONE : [`must be between ${min} and ${max}, inclusive`];
}

/** An IANA service name of at most 15 characters. @spec IsValidPortName */
export function validatePortName(port: string): Messages {
  const rules: readonly [boolean, string][] = [
    [byteLength(port) > 15, "must be no more than 15 characters"],
    [
      !/^[-a-z0-9]+$/.test(port),
      "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)",
    ],
    [!/[a-z]/.test(port), "must contain at least one letter (a-z)"],
    [port.includes("--"), "must not contain consecutive hyphens"],
    [port.startsWith("-") || port.endsWith("-"), "must not begin or end with a hyphen"],
  ];
  return rules.filter(([isBroken]) => isBroken).map(([, message]) => message);
}

/** A variable of the environment, strictly. @spec IsEnvVarName */
export function validateEnvName(name: string): Messages {
  return [...check(name, ENV_NAME), ...dotMessages(name)];
}

/** Any printable ASCII but `=`: the rule for container environments since 1.34. @spec IsRelaxedEnvVarName */
export function validateRelaxedEnvName(name: string): Messages {
  if (name === "") return ["environment variable name must be non-empty"];
  if (/^[ -<>-~]*$/.test(name)) return NONE;
  return [
    "a valid environment variable name must consist only of printable ASCII characters other than '='",
  ];
}

/** A key of a ConfigMap or Secret. @spec IsConfigMapKey */
export function validateConfigMapKey(key: string): Messages {
  return [...check(key, CONFIG_KEY), ...dotMessages(key)];
}

/** Keys become file names: they must not climb. @spec hasChDirPrefix */
function dotMessages(name: string): Messages {
  if (name === ".") return ["must not be '.'"];
  if (name === "..") return ["must not be '..'"];
  return name.startsWith("..") ? ["must not start with '..'"] : NONE;
}

/** An identifier of C. @spec content.IsCIdentifier */
export function validateCIdentifier(text: string): Messages {
  return check(text, C_IDENTIFIER);
}

/** The name of an HTTP header in a probe. @spec IsHTTPHeaderName */
export function validateHttpHeaderName(text: string): Messages {
  return check(text, HTTP_HEADER);
}

/** `25%` @spec IsValidPercent */
export function validatePercent(text: string): Messages {
  return check(text, PERCENT);
}

/** One segment of a path: names that need not be DNS names (roles, CRDs' parameters). @spec path.IsValidPathSegmentName */
export function validatePathSegment(text: string): Messages {
  return text === "." || text === ".." ? [`may not be '${text}'`] : validatePathSegmentPrefix(text);
}

/** The part of {@link validatePathSegment} that a `generateName` must meet. */
export function validatePathSegmentPrefix(text: string): Messages {
  return ["/", "%"]
    .filter((part) => text.includes(part))
    .map((part) => `may not contain '${part}'`);
}

/** A rule for `metadata.name`, also applied to `generateName` with `isPrefix`. */
export type NameRule = (name: string, isPrefix: boolean) => Messages;

/** The rule of most kinds. @spec api/validation NameIsDNSSubdomain */
export const nameIsDnsSubdomain: NameRule = (name, isPrefix) =>
  validateDnsSubdomain(isPrefix ? maskTrailingDash(name) : name);

/** Namespaces and whatever becomes a DNS label. @spec api/validation NameIsDNSLabel */
export const nameIsDnsLabel: NameRule = (name, isPrefix) =>
  validateDnsLabel(isPrefix ? maskTrailingDash(name) : name);

/** Services. @spec api/validation NameIsDNS1035Label */
export const nameIsDns1035Label: NameRule = (name, isPrefix) =>
  validateDns1035Label(isPrefix ? maskTrailingDash(name) : name);

/** Roles and bindings. @spec api/validation/path ValidatePathSegmentName */
export const nameIsPathSegment: NameRule = (name, isPrefix) =>
  isPrefix ? validatePathSegmentPrefix(name) : validatePathSegment(name);

/** A generateName may end in `-`: letters will follow. */
function maskTrailingDash(name: string): string {
  return name.length > 1 && name.endsWith("-") ? `${name.slice(0, -2)}a` : name;
}
