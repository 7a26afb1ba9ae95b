const KUBELET_LABELS = new Set([
  "kubernetes.io/hostname",
  "topology.kubernetes.io/zone",
  "topology.kubernetes.io/region",
  "failure-domain.beta.kubernetes.io/zone",
  "failure-domain.beta.kubernetes.io/region",
  "node.kubernetes.io/instance-type",
  "beta.kubernetes.io/instance-type",
  "beta.kubernetes.io/os",
  "beta.kubernetes.io/arch",
  "kubernetes.io/os",
  "kubernetes.io/arch",
]);

type Labels = Readonly<Record<string, string>>;

/**
 * Labels that differ between `before` and `after` and are not a kubelet's to set; sorted.
 *
 * Others' workloads are steered by these: a node that could set them could draw what it wants to itself.
 * @spec k8s@1.36 plugin/pkg/admission/noderestriction getForbiddenLabels; kubelet/pkg/apis well_known_labels.go
 */
export function forbiddenNodeLabels(before: Labels = {}, after: Labels = {}): readonly string[] {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return keys.filter((key) => before[key] !== after[key] && !isKubelets(key)).sort();
}

function isKubelets(label: string): boolean {
  const slash = label.indexOf("/");
  const domain = slash < 0 ? "" : label.slice(0, slash);
  if (isUnder(domain, "node-restriction.kubernetes.io")) return false;
  if (!isUnder(domain, "kubernetes.io") && !isUnder(domain, "k8s.io")) return true;
  return (
    KUBELET_LABELS.has(label) ||
    isUnder(domain, "kubelet.kubernetes.io") ||
    isUnder(domain, "node.kubernetes.io")
  );
}

function isUnder(domain: string, parent: string): boolean {
  return domain === parent || domain.endsWith(`.${parent}`);
}
