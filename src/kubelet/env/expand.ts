/**
 * Replaces `$(NAME)` by its value where `lookup` knows one; `$$` is a dollar sign; anything else stays as it is.
 *
 * @spec k8s@1.36 third_party/forked/golang/expansion/expand.go
 */
export function expand(text: string, lookup: (name: string) => string | undefined): string {
  return text.replace(/\$(\$|\(([^)]*)\))/g, (whole, escaped: string, name: string | undefined) => {
    if (escaped === "$") return "$";
    return lookup(name ?? "") ?? whole;
  });
}
