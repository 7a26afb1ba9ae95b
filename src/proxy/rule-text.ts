import {
  emptyPlan,
  MAP_NAMES,
  OUTSIDE_MARK,
  SETS,
  type MapName,
  type RulePlan,
} from "./rule-plan.ts";

/** The node's table. One name is enough: each node has a network namespace of its own. */
export const TABLE = "skiff-services";

/** What the fixed chains depend on. */
export interface TableSettings {
  /** All pods of the cluster: their traffic among each other is never masqueraded. */
  readonly clusterPodCidr: string;
  /** The pods of this node; `undefined` until it has a range. */
  readonly nodePodCidr: string | undefined;
}

const TYPES: Readonly<Record<MapName, string>> = {
  services: "type ipv4_addr . inet_proto . inet_service : verdict;",
  nodeports: "type inet_proto . inet_service : verdict;",
  endpoints: "type mark . ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service;",
  nodeport_endpoints: "type mark . inet_proto . inet_service : ipv4_addr . inet_service;",
  hostports: "type inet_proto . inet_service : ipv4_addr . inet_service;",
  hostports_at: "type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service;",
  refused: "type ipv4_addr . inet_proto . inet_service;",
  refused_nodeports: "type inet_proto . inet_service;",
  hairpins: "type ipv4_addr . ipv4_addr;",
};

/** Replaces the whole table by one that holds the plan. For the start, and after a failed transaction. */
export function tableText(plan: RulePlan, settings: TableSettings): string {
  const maps = MAP_NAMES.map(
    (name) => `  ${SETS.has(name) ? "set" : "map"} ${name} {\n    ${TYPES[name]}\n  }`,
  );
  return [
    `table ip ${TABLE}`,
    `delete table ip ${TABLE}`,
    `table ip ${TABLE} {`,
    ...maps,
    fixedChains(settings),
    "}",
    changeText(emptyPlan(), plan),
  ].join("\n");
}

/** One transaction from one plan to another; "" when they are equal. */
export function changeText(from: RulePlan, to: RulePlan): string {
  const lines = [
    ...removedElements(from, to),
    ...newChains(from, to),
    ...addedElements(from, to),
    ...goneChains(from, to),
  ];
  return lines.length > 0 ? `${lines.join("\n")}\n` : "";
}

/**
 * The nat hooks see only the first packet of a connection; conntrack keeps its verdict for the rest.
 *
 * Numbers as priorities: the names are not known to every hook in older nft. Loopback addresses are guarded before anything else looks
 * at a packet (CVE-2020-8558).
 */
function fixedChains({ clusterPodCidr, nodePodCidr }: TableSettings): string {
  const outgoing = nodePodCidr
    ? `    ip saddr ${nodePodCidr} ip daddr != ${clusterPodCidr} masquerade\n`
    : "";
  const remote = nodePodCidr ? `ip daddr != ${nodePodCidr} ` : "";
  return `  chain dispatch {
    ip daddr . meta l4proto . th dport vmap @services
    fib daddr type local ip daddr != 127.0.0.0/8 jump dispatch-local
  }
  chain dispatch-local {
    meta l4proto . th dport vmap @nodeports
    jump dispatch-hostports
  }
  chain dispatch-hostports {
    meta l4proto { tcp, udp } dnat ip to ip daddr . meta l4proto . th dport map @hostports_at
    meta l4proto { tcp, udp } dnat ip to meta l4proto . th dport map @hostports
  }
  chain refuse-now {
    meta l4proto tcp reject with tcp reset
    reject with icmp type port-unreachable
  }
  chain refuse {
    ip daddr . meta l4proto . th dport @refused jump refuse-now
    fib daddr type local meta l4proto . th dport @refused_nodeports jump refuse-now
  }
  chain nat-prerouting {
    type nat hook prerouting priority -100; policy accept;
    jump dispatch
  }
  chain nat-output {
    type nat hook output priority -100; policy accept;
    jump dispatch
    ip daddr 127.0.0.0/8 jump dispatch-hostports
  }
  chain nat-postrouting {
    type nat hook postrouting priority 100; policy accept;
    ip saddr . ip daddr @hairpins masquerade
    ip saddr 127.0.0.0/8 oifname != "lo" masquerade
    ct mark ${OUTSIDE_MARK} ${remote}masquerade
${outgoing}  }
  chain guard-loopback {
    type filter hook prerouting priority -300; policy accept;
    iifname != "lo" ip daddr 127.0.0.0/8 drop
    iifname != "lo" ip saddr 127.0.0.0/8 drop
  }
  chain filter-input {
    type filter hook input priority -10; policy accept;
    ct state new jump refuse
  }
  chain filter-forward {
    type filter hook forward priority -10; policy accept;
    ct state new jump refuse
  }
  chain filter-output {
    type filter hook output priority -10; policy accept;
    ct state new jump refuse
  }`;
}

function removedElements(from: RulePlan, to: RulePlan): readonly string[] {
  return MAP_NAMES.flatMap((name) =>
    elementLine(
      "delete",
      name,
      [...from.maps[name]].filter(([key, value]) => to.maps[name].get(key) !== value),
    ),
  );
}

function addedElements(from: RulePlan, to: RulePlan): readonly string[] {
  return MAP_NAMES.flatMap((name) =>
    elementLine(
      "add",
      name,
      [...to.maps[name]].filter(([key, value]) => from.maps[name].get(key) !== value),
    ),
  );
}

function elementLine(
  verb: "add" | "delete",
  name: MapName,
  elements: readonly (readonly [string, string])[],
): readonly string[] {
  if (elements.length === 0) return [];
  const texts = elements.map(([key, value]) => (SETS.has(name) ? key : `${key} : ${value}`));
  return [`${verb} element ip ${TABLE} ${name} { ${texts.join(", ")} }`];
}

function newChains(from: RulePlan, to: RulePlan): readonly string[] {
  return [...to.chains].flatMap(([name, { rules, clientSets }]) => {
    const old = from.chains.get(name);
    if (old && old.rules.join("\n") === rules.join("\n")) return [];
    const sets = [...clientSets]
      .filter(([set]) => !old?.clientSets.has(set))
      .map(
        ([set, { seconds }]) =>
          `add set ip ${TABLE} ${set} { type ipv4_addr; flags dynamic, timeout; timeout ${seconds}s; }`,
      );
    const begin = old ? `flush chain ip ${TABLE} ${name}` : `add chain ip ${TABLE} ${name}`;
    return [...sets, begin, ...rules.map((rule) => `add rule ip ${TABLE} ${name} ${rule}`)];
  });
}

/** Last in a transaction: nothing refers to them any more. */
function goneChains(from: RulePlan, to: RulePlan): readonly string[] {
  const chains = [...from.chains.keys()].filter((name) => !to.chains.has(name));
  const setsOf = (plan: RulePlan): readonly string[] =>
    [...plan.chains.values()].flatMap(({ clientSets }) => [...clientSets.keys()]);
  const kept = new Set(setsOf(to));
  const sets = setsOf(from).filter((set) => !kept.has(set));
  return [
    ...chains.map((name) => `flush chain ip ${TABLE} ${name}`),
    ...chains.map((name) => `delete chain ip ${TABLE} ${name}`),
    ...sets.map((name) => `delete set ip ${TABLE} ${name}`),
  ];
}
