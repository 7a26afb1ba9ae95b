import type { Kind } from "../../api/machinery/kind.ts";
import { formatKey, keyOf, type KubeObject } from "../../api/machinery/object.ts";
import type { Cache } from "../../client/cache.ts";
import type {
  RbacV1Subject,
  V1ClusterRoleBinding,
  V1PolicyRule,
  V1RoleBinding,
  V1RoleRef,
} from "../../gen/types.ts";
import { cached } from "../authn/cached-kinds.ts";
import { serviceAccountUserName } from "../authn/token-claims.ts";
import type { UserInfo } from "../request.ts";

/** The server's cache, as far as RBAC reads it. */
export type RbacSource = Pick<Cache, "get" | "list" | "onChange">;

/** One subject's hold on one role. */
export interface Grant {
  /** "": everywhere. */
  readonly namespace: string;
  readonly roleRef: V1RoleRef;
  /** `ClusterRoleBinding "a" of ClusterRole "b" to User "c"` */
  readonly description: string;
}

/** A grant with what its role allows now; `problem` instead when the role is not there. */
export interface ResolvedGrant {
  readonly grant: Grant;
  readonly rules: readonly V1PolicyRule[];
  readonly problem?: string;
}

type Binding = V1ClusterRoleBinding | V1RoleBinding;

/**
 * Who holds which role, by subject. Kept up by the changes of bindings one at a time; roles are read when asked for.
 *
 * @spec k8s@1.36 pkg/registry/rbac/validation rule.go
 */
export class RbacRules {
  readonly #source: RbacSource;
  /** Subject → binding → its grants. */
  readonly #bySubject = new Map<string, Map<string, Grant>>();
  readonly #listeners: (() => void)[] = [];

  constructor(source: RbacSource) {
    this.#source = source;
    for (const kind of [
      cached.clusterRoleBinding,
      cached.roleBinding,
    ] as readonly Kind<Binding>[]) {
      source.onChange(kind, (change) => {
        this.#drop(kind, change.old as Binding | undefined);
        this.#put(kind, change.object as Binding | undefined);
        this.#changed();
      });
      for (const binding of source.list(kind)) this.#put(kind, binding);
    }
    for (const kind of [cached.clusterRole, cached.role])
      source.onChange(kind, () => this.#changed());
  }

  /** Called after any change that may alter a decision. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** What `user` holds in `namespace` ("": the cluster alone); cluster-wide grants first, as upstream evaluates. */
  grantsOf(user: UserInfo, namespace: string): readonly ResolvedGrant[] {
    const subjects = [`u ${user.name}`, ...user.groups.map((group) => `g ${group}`)];
    const all = subjects.flatMap((key) => [...(this.#bySubject.get(key)?.values() ?? [])]);
    const wide = all.filter((grant) => grant.namespace === "");
    const local = namespace === "" ? [] : all.filter((grant) => grant.namespace === namespace);
    return [...wide, ...local].map((grant) => this.#resolve(grant));
  }

  /** All rules that `user` holds in `namespace`, and which roles were not found. */
  rulesOf(
    user: UserInfo,
    namespace: string,
  ): { readonly rules: readonly V1PolicyRule[]; readonly problems: readonly string[] } {
    const grants = this.grantsOf(user, namespace);
    return {
      rules: grants.flatMap(({ rules }) => rules),
      problems: grants.flatMap(({ problem }) => (problem === undefined ? [] : [problem])),
    };
  }

  /** The rules of a role as a binding in `namespace` names it; `undefined`: no such role. */
  roleRules(roleRef: V1RoleRef, namespace: string): readonly V1PolicyRule[] | undefined {
    const { name } = roleRef;
    const role =
      roleRef.kind === "ClusterRole"
        ? this.#source.get(cached.clusterRole, { namespace: "", name })
        : this.#source.get(cached.role, { namespace, name });
    return role && (role.rules ?? []);
  }

  #resolve(grant: Grant): ResolvedGrant {
    const rules = this.roleRules(grant.roleRef, grant.namespace);
    if (rules) return { grant, rules };
    const kind = grant.roleRef.kind.toLowerCase();
    const problem = `${kind}.rbac.authorization.k8s.io ${JSON.stringify(grant.roleRef.name)} not found`;
    return { grant, rules: [], problem };
  }

  #put(kind: Kind, binding: Binding | undefined): void {
    for (const subject of binding?.subjects ?? []) {
      const namespace = binding!.metadata?.namespace ?? "";
      const key = subjectKey(subject, namespace);
      if (key === undefined) continue;
      const grants = this.#bySubject.get(key) ?? new Map<string, Grant>();
      this.#bySubject.set(key, grants);
      grants.set(bindingId(kind, binding!), {
        namespace,
        roleRef: binding!.roleRef,
        description: describe(kind, binding!, subject),
      });
    }
  }

  #drop(kind: Kind, binding: Binding | undefined): void {
    for (const subject of binding?.subjects ?? []) {
      const key = subjectKey(subject, binding!.metadata?.namespace ?? "");
      const grants = key === undefined ? undefined : this.#bySubject.get(key);
      grants?.delete(bindingId(kind, binding!));
      if (grants?.size === 0) this.#bySubject.delete(key!);
    }
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}

function bindingId(kind: Kind, binding: KubeObject): string {
  return `${kind.kind} ${formatKey(keyOf(binding))}`;
}

/** `undefined`: a subject of no known kind holds nothing. */
function subjectKey(subject: RbacV1Subject, bindingNamespace: string): string | undefined {
  switch (subject.kind) {
    case "User":
      return `u ${subject.name}`;
    case "Group":
      return `g ${subject.name}`;
    case "ServiceAccount": {
      const namespace = subject.namespace || bindingNamespace;
      return namespace ? `u ${serviceAccountUserName(namespace, subject.name)}` : undefined;
    }
    default:
      return undefined;
  }
}

function describe(kind: Kind, { metadata, roleRef }: Binding, subject: RbacV1Subject): string {
  const namespace = metadata?.namespace ?? "";
  const name = namespace ? `${metadata?.name}/${namespace}` : (metadata?.name ?? "");
  const subjectName =
    subject.kind === "ServiceAccount"
      ? `${subject.name}/${subject.namespace || namespace}`
      : subject.name;
  const quote = JSON.stringify;
  return (
    `${kind.kind} ${quote(name)} of ${roleRef.kind} ${quote(roleRef.name)} ` +
    `to ${subject.kind} ${quote(subjectName)}`
  );
}
