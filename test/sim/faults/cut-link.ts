import { oneOf, type Fault } from "./fault.ts";

/** Somebody cannot reach the server. */
export const cutLink: Fault = {
  name: "cut link",
  weight: 4,
  lastsMsMax: 120_000,
  begin({ network, parties, server }, random) {
    const party = oneOf(random, parties);
    network.cut(party, server.name);
    return () => network.heal(party, server.name);
  },
};
