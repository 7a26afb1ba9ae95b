import type {
  FlowcontrolV1Subject,
  V1FlowSchema,
  V1NonResourcePolicyRule,
  V1ResourcePolicyRule,
} from "../../gen/types.ts";
import type { RequestInfo, UserInfo } from "../request.ts";

/** What is matched of a request. */
export type MatchedInfo = Pick<
  RequestInfo,
  "isResource" | "verb" | "path" | "group" | "plural" | "subresource" | "namespace"
>;

/** The requests that one flow schema is about, for one user. */
export type RequestTest = (info: MatchedInfo) => boolean;

const ALWAYS: RequestTest = () => true;

/**
 * Which requests of `user` the schema matches; `undefined`: none.
 *
 * Split so that the subjects, most of the work, are looked at once per user.
 * @spec k8s@1.36 apiserver util/flowcontrol/rule.go matchesFlowSchema
 */
export function requestsOf(schema: V1FlowSchema, user: UserInfo): RequestTest | undefined {
  const own = (schema.spec?.rules ?? []).filter(({ subjects }) =>
    subjects.some((subject) => isSubject(subject, user)),
  );
  if (own.length === 0) return undefined;
  const resourceRules = own.flatMap((rules) => rules.resourceRules ?? []);
  const otherRules = own.flatMap((rules) => rules.nonResourceRules ?? []);
  if (resourceRules.some(isAnyResource) && otherRules.some(isAnyPath)) return ALWAYS;
  return (info) =>
    info.isResource
      ? resourceRules.some((rule) => matchesResource(rule, info))
      : otherRules.some((rule) => matchesPath(rule, info));
}

function isSubject({ kind, user, group, serviceAccount }: FlowcontrolV1Subject, who: UserInfo) {
  switch (kind) {
    case "User":
      return user !== undefined && (user.name === "*" || user.name === who.name);
    case "Group":
      return group !== undefined && (group.name === "*" || who.groups.includes(group.name));
    case "ServiceAccount": {
      if (!serviceAccount) return false;
      const prefix = `system:serviceaccount:${serviceAccount.namespace}:`;
      return serviceAccount.name === "*"
        ? who.name.startsWith(prefix)
        : who.name === prefix + serviceAccount.name;
    }
    default:
      return false;
  }
}

const isAll = (list: readonly string[] | undefined): boolean =>
  list?.length === 1 && list[0] === "*";

const has = (list: readonly string[] | undefined, value: string): boolean =>
  isAll(list) || (list?.includes(value) ?? false);

function isAnyResource(rule: V1ResourcePolicyRule): boolean {
  const { verbs, apiGroups, resources, namespaces, clusterScope } = rule;
  return (clusterScope ?? false) && [verbs, apiGroups, resources, namespaces].every(isAll);
}

function isAnyPath({ verbs, nonResourceURLs }: V1NonResourcePolicyRule): boolean {
  return isAll(verbs) && isAll(nonResourceURLs);
}

function matchesResource(rule: V1ResourcePolicyRule, info: MatchedInfo): boolean {
  const { plural, subresource, namespace } = info;
  const resource = subresource === "" ? plural : `${plural}/${subresource}`;
  if (!has(rule.verbs, info.verb) || !has(rule.resources, resource)) return false;
  if (!has(rule.apiGroups, info.group)) return false;
  return namespace === "" ? (rule.clusterScope ?? false) : has(rule.namespaces, namespace);
}

function matchesPath(rule: V1NonResourcePolicyRule, { verb, path }: MatchedInfo): boolean {
  if (!has(rule.verbs, verb)) return false;
  return (rule.nonResourceURLs ?? []).some((url) => {
    if (url === "*" || url === path) return true;
    const prefix = url.endsWith("*") ? url.slice(0, -1) : url;
    return path.startsWith(prefix.endsWith("/") ? prefix : `${prefix}/`);
  });
}
