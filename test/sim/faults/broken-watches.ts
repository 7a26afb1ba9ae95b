import type { Fault } from "./fault.ts";

/** All watches break at once; calls go through. */
export const brokenWatches: Fault = {
  name: "broken watches",
  weight: 3,
  lastsMsMax: 0,
  begin({ network, parties, server }) {
    for (const party of parties) network.breakStreams(party, server.name);
    return () => {};
  },
};
