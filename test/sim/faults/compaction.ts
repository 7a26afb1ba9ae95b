import type { Fault } from "./fault.ts";

/** The server forgets its past: who resumes from there must list again. */
export const compaction: Fault = {
  name: "compaction",
  weight: 2,
  lastsMsMax: 0,
  begin({ server }) {
    server.compact();
    return () => {};
  },
};
