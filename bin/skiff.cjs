#!/usr/bin/env node
// Loads the bundle of the process that was asked for. Compiled code is cached beside the bundle: V8 then starts it
// without parsing, which halves the time to the first line of our code.
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const vm = require("node:vm");

/** Commands with a bundle of their own; all others are in `cli`. */
const PROCESSES = ["server", "agent"];
/** A long-lived process writes its cache after this many ms: start-up is over then, and its functions are compiled. */
const CACHE_AFTER_MS = 10_000;

const root = path.dirname(__dirname);
process.env.SKIFF_ROOT = root;

function bundleName(words) {
  let index = 0;
  while (words[index] !== undefined && words[index].startsWith("-"))
    index += words[index] === "--name" ? 2 : 1;
  return PROCESSES.includes(words[index]) ? words[index] : "cli";
}

function readIfPresent(file) {
  try {
    return fs.readFileSync(file);
  } catch {
    return undefined;
  }
}

const name = bundleName(process.argv.slice(2));
const file = path.join(root, "dist", `${name}.cjs`);
const source = readIfPresent(file);
if (!source) {
  console.error(`skiff: ${file} is missing: run 'npm start' or 'npm run build' in ${root}`);
  process.exit(1);
}
const cacheFile = `${file}.cache`;
const cachedData = readIfPresent(cacheFile);
const script = new vm.Script(
  `(function (require, module, exports, __filename, __dirname) {${source}\n})`,
  {
    filename: file,
    cachedData,
    importModuleDynamically: vm.constants?.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  },
);

function writeCache() {
  try {
    const temporary = `${cacheFile}.${process.pid}`;
    fs.writeFileSync(temporary, script.createCachedData());
    fs.renameSync(temporary, cacheFile);
  } catch {
    // a read-only installation starts a little slower, that is all
  }
}

if (!cachedData || script.cachedDataRejected) {
  if (name === "cli") process.on("exit", writeCache);
  else setTimeout(writeCache, CACHE_AFTER_MS).unref();
}
const bundle = { exports: {} };
script.runInThisContext()(
  require("node:module").createRequire(file),
  bundle,
  bundle.exports,
  file,
  path.dirname(file),
);
