import type { UserInfo } from "../request.ts";
import type { AuthorizedInfo, Authorizer, Decision } from "./authorizer.ts";
import type { RbacRules, ResolvedGrant } from "./rbac-rules.ts";
import { ruleAllows } from "./rule-matching.ts";

/** Decisions kept per user. A controller asks some hundred questions; beyond this it is asking about names or namespaces. */
const DECISIONS_MAX = 2048;

/** Of one question, by the name that it is asked about. */
const NAMES_MAX = 128;

interface UserAccess {
  readonly grants: Map<string, readonly ResolvedGrant[]>;
  /** By question; where the answer differs by the name, by that besides. */
  readonly decisions: Map<string, Decision | Map<string, Decision>>;
}

/**
 * Role-based access control over the server's cache.
 *
 * A decision is remembered by user object and question, until any role or binding changes. The name is a part of the question
 * only where a rule of the user lists names: a scheduler that binds a million Pods asks one question.
 * @bounds DECISIONS_MAX questions per user, NAMES_MAX names for each, then forgotten all at once; users are held weakly.
 * @spec k8s@1.36 plugin/pkg/auth/authorizer/rbac/rbac.go
 */
export class RbacAuthorizer implements Authorizer {
  readonly #rules: RbacRules;
  #users = new WeakMap<UserInfo, UserAccess>();

  constructor(rules: RbacRules) {
    this.#rules = rules;
    rules.onChange(() => (this.#users = new WeakMap()));
  }

  authorize(user: UserInfo, info: AuthorizedInfo): Decision {
    const access = this.#accessOf(user);
    const question = info.isResource
      ? `${info.verb} ${info.group} ${info.plural}/${info.subresource} ${info.namespace}`
      : `${info.verb} ${info.path}`;
    const known = access.decisions.get(question);
    if (known instanceof Map)
      return known.get(info.name) ?? this.#decide(user, access, question, info);
    return known ?? this.#decide(user, access, question, info);
  }

  #decide(user: UserInfo, access: UserAccess, question: string, info: AuthorizedInfo): Decision {
    const { decisions } = access;
    const { decision, isByName } = judge(
      this.#grantsOf(user, access, info.isResource ? info.namespace : ""),
      info,
    );
    if (!isByName) {
      remember(decisions, question, decision, DECISIONS_MAX);
      return decision;
    }
    const byName = decisions.get(question);
    if (byName instanceof Map) remember(byName, info.name, decision, NAMES_MAX);
    else remember(decisions, question, new Map([[info.name, decision]]), DECISIONS_MAX);
    return decision;
  }

  #accessOf(user: UserInfo): UserAccess {
    const known = this.#users.get(user);
    if (known) return known;
    const access = { grants: new Map(), decisions: new Map() };
    this.#users.set(user, access);
    return access;
  }

  #grantsOf(user: UserInfo, access: UserAccess, namespace: string): readonly ResolvedGrant[] {
    const known = access.grants.get(namespace);
    if (known) return known;
    if (access.grants.size >= DECISIONS_MAX) access.grants.clear();
    const grants = this.#rules.grantsOf(user, namespace);
    access.grants.set(namespace, grants);
    return grants;
  }
}

function remember<V>(known: Map<string, V>, key: string, value: V, entriesMax: number): void {
  if (known.size >= entriesMax) known.clear();
  known.set(key, value);
}

/** `isByName`: of another name the decision may be another one. */
function judge(
  grants: readonly ResolvedGrant[],
  info: AuthorizedInfo,
): { readonly decision: Decision; readonly isByName: boolean } {
  return { decision: decide(grants, info), isByName: info.isResource && readsName(grants, info) };
}

/** Whether a rule about such objects lists names. */
function readsName(grants: readonly ResolvedGrant[], info: AuthorizedInfo): boolean {
  return grants.some(({ rules }) =>
    rules.some(
      (rule) => rule.resourceNames?.length && ruleAllows({ ...rule, resourceNames: [] }, info),
    ),
  );
}

function decide(grants: readonly ResolvedGrant[], info: AuthorizedInfo): Decision {
  for (const { grant, rules } of grants)
    if (rules.some((rule) => ruleAllows(rule, info)))
      return { isAllowed: true, reason: `RBAC: allowed by ${grant.description}` };
  const problems = [...new Set(grants.flatMap(({ problem }) => problem ?? []))];
  return { isAllowed: false, reason: problems.length > 0 ? `RBAC: ${aggregate(problems)}` : "" };
}

/** Several errors as upstream prints them. @spec k8s@1.36 apimachinery util/errors Aggregate */
export function aggregate(problems: readonly string[]): string {
  return problems.length === 1 ? problems[0]! : `[${problems.join(", ")}]`;
}
