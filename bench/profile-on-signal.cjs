// Loaded into a process with NODE_OPTIONS=--require=…: SIGUSR2 begins a processor profile, the next one ends it and writes it to $SKIFF_PROFILES.
"use strict";
const { Session } = require("node:inspector");
const { writeFileSync } = require("node:fs");
const { join } = require("node:path");

const role = ["server", "agent"].find((word) => process.argv.includes(word));
if (role) {
  const session = new Session();
  session.connect();
  let count = 0;
  let isOn = false;
  process.on("SIGUSR2", () => {
    isOn = !isOn;
    if (isOn) {
      session.post("Profiler.enable");
      session.post("Profiler.setSamplingInterval", { interval: 200 });
      session.post("Profiler.start");
    } else
      session.post("Profiler.stop", (_error, { profile }) => {
        const file = join(process.env.SKIFF_PROFILES, `${role}-${count++}.cpuprofile`);
        writeFileSync(file, JSON.stringify(profile));
      });
  });
}
