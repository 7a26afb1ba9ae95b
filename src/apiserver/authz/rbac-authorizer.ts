import type { UserInfo } from "../request.ts";
import type { AuthorizedInfo, Authorizer, Decision } from "./authorizer.ts";
import type { RbacRules, ResolvedGrant } from "./rbac-rules.ts";
import { ruleAllows } from "./rule-matching.ts";

/** Decisions kept per user. A controller asks some hundred questions; beyond this it is asking about names. */
const DECISIONS_MAX = 2048;

interface UserAccess {
  readonly grants: Map<string, readonly ResolvedGrant[]>;
  readonly decisions: Map<string, Decision>;
}

/**
 * Role-based access control over the server's cache.
 *
 * A decision is remembered by user object and question, until any role or binding changes.
 * @bounds DECISIONS_MAX decisions per user, then forgotten all at once; users are held weakly.
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
      ? `${info.verb} ${info.group} ${info.plural}/${info.subresource} ${info.namespace}/${info.name}`
      : `${info.verb} ${info.path}`;
    const known = access.decisions.get(question);
    if (known) return known;
    if (access.decisions.size >= DECISIONS_MAX) access.decisions.clear();
    const decision = decide(
      this.#grantsOf(user, access, info.isResource ? info.namespace : ""),
      info,
    );
    access.decisions.set(question, decision);
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
