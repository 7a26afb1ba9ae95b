import type { Fault } from "./fault.ts";

/** The server is killed at once, and comes back on its disk. */
export const killedServer: Fault = {
  name: "killed server",
  weight: 4,
  lastsMsMax: 30_000,
  begin({ server }) {
    server.kill();
    return () => server.restart();
  },
};
