import type { RbacV1Subject, V1ClusterRoleBinding, V1RoleBinding } from "../../gen/types.ts";
import type { Column } from "../machinery/resource.ts";
import { ageColumn, nameColumn, textColumn, wide } from "../strategy/columns.ts";

type Binding = V1RoleBinding | V1ClusterRoleBinding;

/** The columns of both kinds of bindings. @spec k8s@1.36 printers.go printRoleBinding */
export function bindingColumns<T extends Binding>(): readonly Column<T>[] {
  return [
    nameColumn<T>(),
    textColumn<T>("Role", "What the subjects may do", formatRole),
    ageColumn<T>(),
    wide(textColumn<T>("Users", "Users that are bound", (binding) => subjects(binding, "User"))),
    wide(textColumn<T>("Groups", "Groups that are bound", (binding) => subjects(binding, "Group"))),
    wide(
      textColumn<T>("ServiceAccounts", "Service accounts that are bound", (binding) =>
        subjects(binding, "ServiceAccount"),
      ),
    ),
  ];
}

/** Written for decoded input, where even a required field may be absent. */
function formatRole({ roleRef }: Partial<Binding>): string {
  return `${roleRef?.kind ?? ""}/${roleRef?.name ?? ""}`;
}

function subjects(binding: Binding, kind: string): string {
  return (binding.subjects ?? [])
    .filter((subject) => subject.kind === kind)
    .map(nameOf)
    .join(", ");
}

function nameOf({ namespace, name }: RbacV1Subject): string {
  return namespace ? `${namespace}/${name}` : name;
}
