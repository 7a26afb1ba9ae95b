import type { KubeObject } from "../../api/machinery/object.ts";
import type {
  V1ClusterRole,
  V1ClusterRoleBinding,
  V1PolicyRule,
  V1Role,
  V1RoleBinding,
} from "../../gen/types.ts";
import type { AdmissionPlugin } from "../admission/admission.ts";
import { forbidden, notFound } from "../../api/machinery/status-errors.ts";
import type { AdmissionCall } from "../request.ts";
import { PRIVILEGED_GROUP } from "./authorizer-chain.ts";
import type { Authorizer } from "./authorizer.ts";
import type { RbacRules } from "./rbac-rules.ts";
import {
  compactRules,
  countRuleParts,
  formatRule,
  missingRules,
  quoteList,
  RULE_PARTS_MAX,
} from "./rule-coverage.ts";

const GROUP = "rbac.authorization.k8s.io";

const EVERYTHING: readonly V1PolicyRule[] = [
  { apiGroups: ["*"], resources: ["*"], verbs: ["*"] },
  { nonResourceURLs: ["*"], verbs: ["*"] },
];

/**
 * Nobody grants what they do not hold: roles and bindings are checked against the rules of who writes them.
 *
 * Past it: `system:masters`; verb `escalate` on the role; verb `bind` on the role that a binding names.
 * @spec k8s@1.36 pkg/registry/rbac/{role,clusterrole,rolebinding,clusterrolebinding}/policybased
 */
export class EscalationCheck implements AdmissionPlugin {
  readonly name = "RBACEscalation";
  readonly #rules: RbacRules;
  readonly #authorizer: Authorizer;

  constructor(rules: RbacRules, authorizer: Authorizer) {
    this.#rules = rules;
    this.#authorizer = authorizer;
  }

  handles({ kind, info, operation }: AdmissionCall): boolean {
    const isWrite = operation === "CREATE" || operation === "UPDATE";
    return kind.group === GROUP && info.subresource === "" && isWrite;
  }

  /** @throws {StatusError} Forbidden, or NotFound: the role that a binding names. */
  validate(call: AdmissionCall): void {
    if (call.user.groups.includes(PRIVILEGED_GROUP) || !call.object) return;
    if (call.kind.kind.endsWith("Binding"))
      this.#checkBinding(call, call.object as Binding, call.old as Binding | undefined);
    else this.#checkRole(call, call.object as Role, call.old as Role | undefined);
  }

  #checkRole(call: AdmissionCall, role: Role, old: Role | undefined): void {
    const isSame =
      old !== undefined &&
      isEqual(role.rules ?? [], old.rules ?? []) &&
      isEqual(role.aggregationRule, old.aggregationRule);
    if (isSame || this.#may(call, "escalate", call.kind.plural, nameOf(role))) return;
    this.#mustHold(call, role.rules ?? [], nameOf(role));
    if (role.aggregationRule && this.#missing(call, EVERYTHING).length > 0)
      throw this.#refuse(
        call,
        nameOf(role),
        "must have cluster-admin privileges to use the aggregationRule",
      );
  }

  #checkBinding(call: AdmissionCall, binding: Binding, old: Binding | undefined): void {
    const isSame =
      old !== undefined &&
      isEqual(binding.roleRef, old.roleRef) &&
      isEqual(binding.subjects ?? [], old.subjects ?? []);
    const { roleRef } = binding;
    const plural = roleRef.kind === "ClusterRole" ? "clusterroles" : "roles";
    if (isSame || this.#may(call, "bind", plural, roleRef.name)) return;
    const rules = this.#rules.roleRules(roleRef, call.info.namespace);
    if (!rules) throw notFound({ group: GROUP, plural: plural.slice(0, -1) }, roleRef.name);
    this.#mustHold(call, rules, nameOf(binding));
  }

  #may({ user, info }: AdmissionCall, verb: string, plural: string, name: string): boolean {
    const { namespace, version } = info;
    const asked = { isResource: true, path: "", group: GROUP, subresource: "", namespace, version };
    return this.#authorizer.authorize(user, { ...asked, verb, plural, name }).isAllowed;
  }

  #mustHold(call: AdmissionCall, wanted: readonly V1PolicyRule[], name: string): void {
    if (countRuleParts(wanted) > RULE_PARTS_MAX)
      throw this.#refuse(
        call,
        name,
        `its rules stand for over ${RULE_PARTS_MAX} combinations of verb, resource and name, too many to check who may grant them`,
      );
    const missing = this.#missing(call, wanted);
    if (missing.length === 0) return;
    const { user, info } = call;
    const { problems } = this.#rules.rulesOf(user, info.namespace);
    const lines = [...new Set(compactRules(missing).map(formatRule))].sort();
    throw this.#refuse(
      call,
      name,
      `user ${JSON.stringify(user.name)} (groups=${quoteList(user.groups)}) ` +
        `is attempting to grant RBAC permissions not currently held:\n${lines.join("\n")}` +
        (problems.length > 0 ? `; resolution errors: [${problems.join(", ")}]` : ""),
    );
  }

  #missing(
    { user, info }: AdmissionCall,
    wanted: readonly V1PolicyRule[],
  ): readonly V1PolicyRule[] {
    return missingRules(this.#rules.rulesOf(user, info.namespace).rules, wanted);
  }

  #refuse({ kind }: AdmissionCall, name: string, message: string): Error {
    return forbidden(kind, name, message);
  }
}

type Binding = V1ClusterRoleBinding | V1RoleBinding;
type Role = V1Role & Pick<V1ClusterRole, "aggregationRule">;

function nameOf(object: KubeObject): string {
  return object.metadata?.name ?? "";
}

/** Equal as JSON; key order comes from the schema, so equal objects print alike. */
function isEqual(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
