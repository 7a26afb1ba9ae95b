import type {
  FlowcontrolV1Subject,
  V1FlowSchema,
  V1NonResourcePolicyRule,
  V1PolicyRulesWithSubjects,
  V1ResourcePolicyRule,
} from "../../gen/types.ts";
import { equalSemantic } from "../machinery/equality.ts";
import { forbidden, invalid, notSupported, required } from "../machinery/field-error.ts";
import { validateDnsLabel, validateDnsSubdomain } from "../machinery/names.ts";
import { each, invalids, requiredText, when, type Errors } from "../strategy/checks.ts";
import { validateConditions } from "./conditions-status.ts";
import { mandatoryFlowSchemas } from "./default-objects.ts";

/** @spec k8s@1.36 api/flowcontrol/v1 FlowSchemaMaxMatchingPrecedence */
const PRECEDENCE_MAX = 10_000;

const METHODS = ["ByNamespace", "ByUser"];
const SUBJECT_KINDS = ["Group", "ServiceAccount", "User"];
const VERBS = "create delete deletecollection get list patch proxy update watch".split(" ");

/** @spec k8s@1.36 pkg/apis/flowcontrol/validation ValidateFlowSchema */
export function validateFlowSchema(schema: V1FlowSchema): Errors {
  const name = schema.metadata?.name ?? "";
  const fixed = mandatoryFlowSchemas.find(({ metadata }) => metadata?.name === name);
  const isOther = fixed !== undefined && !equalSemantic(schema.spec, fixed.spec);
  return [
    ...validateSpec(name, schema.spec),
    ...when(isOther, invalid("spec", schema.spec, `spec of '${name}' must equal the fixed value`)),
    ...validateConditions(schema),
  ];
}

function validateSpec(name: string, spec: Partial<NonNullable<V1FlowSchema["spec"]>> = {}): Errors {
  const { matchingPrecedence = 0, distinguisherMethod, priorityLevelConfiguration, rules } = spec;
  const precedence = (detail: string) =>
    invalid("spec.matchingPrecedence", matchingPrecedence, detail);
  const method = distinguisherMethod?.type ?? "";
  const level = priorityLevelConfiguration?.name ?? "";
  return [
    ...when(matchingPrecedence <= 0, precedence("must be a positive value")),
    ...when(
      matchingPrecedence > PRECEDENCE_MAX,
      precedence(`must not be greater than ${PRECEDENCE_MAX}`),
    ),
    ...when(
      matchingPrecedence === 1 && name !== "exempt",
      precedence("only the schema named 'exempt' may have matchingPrecedence 1"),
    ),
    ...when(
      distinguisherMethod !== undefined && !METHODS.includes(method),
      notSupported("spec.distinguisherMethod.type", method, METHODS),
    ),
    ...(level === ""
      ? [required("spec.priorityLevelConfiguration.name", "must reference a priority level")]
      : invalids("spec.priorityLevelConfiguration.name", level, validateDnsSubdomain(level))),
    ...each(rules, "spec.rules", validateRules),
  ];
}

/** @spec ValidateFlowSchemaPolicyRulesWithSubjects */
function validateRules(rules: Partial<V1PolicyRulesWithSubjects>, path: string): Errors {
  const { subjects = [], resourceRules = [], nonResourceRules = [] } = rules;
  const none = "at least one of resourceRules and nonResourceRules has to be non-empty";
  return [
    ...when(
      subjects.length === 0,
      required(`${path}.subjects`, "subjects must contain at least one value"),
    ),
    ...each(subjects, `${path}.subjects`, validateSubject),
    ...when(resourceRules.length === 0 && nonResourceRules.length === 0, required(path, none)),
    ...each(resourceRules, `${path}.resourceRules`, validateResourceRule),
    ...each(nonResourceRules, `${path}.nonResourceRules`, validateNonResourceRule),
  ];
}

/** Field of the subject, by kind. */
const FIELDS = { ServiceAccount: "serviceAccount", User: "user", Group: "group" } as const;

/** @spec ValidateFlowSchemaSubject */
function validateSubject(subject: FlowcontrolV1Subject, path: string): Errors {
  const { kind } = subject;
  if (!SUBJECT_KINDS.includes(kind)) return [notSupported(`${path}.kind`, kind, SUBJECT_KINDS)];
  const own = FIELDS[kind as keyof typeof FIELDS];
  const others = Object.entries(FIELDS).filter(([other]) => other !== kind);
  const value = subject[own];
  return [
    ...(value
      ? validateNames(kind, value, `${path}.${own}`)
      : [required(`${path}.${own}`, `${own} is required when subject kind is '${kind}'`)]),
    ...others.flatMap(([other, field]) =>
      when(
        subject[field] !== undefined,
        forbidden(`${path}.${field}`, `${field} is forbidden when subject kind is not '${other}'`),
      ),
    ),
  ];
}

function validateNames(
  kind: string,
  { name, namespace }: { readonly name?: string; readonly namespace?: string },
  path: string,
): Errors {
  if (kind !== "ServiceAccount") return requiredText(`${path}.name`, name);
  return [
    ...requiredText(`${path}.name`, name),
    ...(name && name !== "*" ? invalids(`${path}.name`, name, validateDnsSubdomain(name)) : []),
    ...(namespace
      ? invalids(`${path}.namespace`, namespace, validateDnsLabel(namespace))
      : [required(`${path}.namespace`, "must specify namespace for service account")]),
  ];
}

/** A list that has something, and the wildcard only alone. `what`: as messages name its elements. */
function wildcardList(
  list: readonly string[],
  field: string,
  none: string,
  what: string,
  others: () => Errors = () => [],
): Errors {
  if (list.length === 0) return [required(field, none)];
  if (!list.includes("*")) return others();
  return when(
    list.length > 1,
    invalid(field, list, `if '*' is present, must not specify other ${what}`),
  );
}

function verbErrors(verbs: readonly string[], field: string): Errors {
  return wildcardList(verbs, field, "verbs must contain at least one value", "verbs", () =>
    when(!verbs.every((verb) => VERBS.includes(verb)), notSupported(field, verbs, VERBS)),
  );
}

/** @spec ValidateFlowSchemaResourcePolicyRule */
function validateResourceRule(rule: Partial<V1ResourcePolicyRule>, path: string): Errors {
  const { verbs = [], apiGroups = [], resources = [], namespaces = [], clusterScope } = rule;
  const member = "each member of this list must be '*' or a DNS-1123 label; ";
  const field = `${path}.namespaces`;
  const isNowhere = namespaces.length === 0;
  return [
    ...verbErrors(verbs, `${path}.verbs`),
    ...wildcardList(
      apiGroups,
      `${path}.apiGroups`,
      "resource rules must supply at least one api group",
      "api groups",
    ),
    ...wildcardList(
      resources,
      `${path}.resources`,
      "resource rules must supply at least one resource",
      "resources",
    ),
    ...(isNowhere && clusterScope
      ? []
      : wildcardList(
          namespaces,
          field,
          "resource rules that are not cluster scoped must supply at least one namespace",
          "namespaces",
          () =>
            each(namespaces, field, (name, item) =>
              invalids(
                item,
                name,
                validateDnsLabel(name).map((message) => member + message),
              ),
            ),
        )),
  ];
}

/** @spec ValidateFlowSchemaNonResourcePolicyRule */
function validateNonResourceRule(rule: Partial<V1NonResourcePolicyRule>, path: string): Errors {
  const { verbs = [], nonResourceURLs = [] } = rule;
  const field = `${path}.nonResourceURLs`;
  return [
    ...verbErrors(verbs, `${path}.verbs`),
    ...wildcardList(
      nonResourceURLs,
      field,
      "nonResourceURLs must contain at least one value",
      "non-resource URLs",
      () => each(nonResourceURLs, field, validateUrl),
    ),
  ];
}

/** @spec ValidateNonResourceURLPath */
function validateUrl(url: string, field: string): Errors {
  const wrong = (detail: string): Errors => [invalid(field, url, detail)];
  if (url === "") return wrong("must not be empty");
  if (url === "/") return [];
  if (!url.startsWith("/")) return wrong("must start with slash");
  if (url.includes(" ")) return wrong("must not contain white-space");
  if (url.includes("//")) return wrong("must not contain double slash");
  const isWrong = url.includes("*") && url.indexOf("*") !== url.length - 1;
  return isWrong || (url.endsWith("*") && !url.endsWith("/*"))
    ? wrong("wildcard can only do suffix matching")
    : [];
}
