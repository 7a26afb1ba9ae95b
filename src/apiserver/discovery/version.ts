/** What the build knows of itself. */
export interface BuildFacts {
  /** `0.1.0` */
  readonly skiffVersion: string;
  readonly gitCommit: string;
  /** RFC 3339. */
  readonly buildDate: string;
  /** `v20.20.2` */
  readonly nodeVersion: string;
  /** `linux/amd64` */
  readonly platform: string;
}

/** The Kubernetes release whose API is served. Raise together with the model package. */
export const API_MAJOR = "1";
export const API_MINOR = "36";

/** `/version`. Clients compare `major`, `minor` and `gitVersion`; the rest is for people. */
export function versionDocument(build: BuildFacts): Readonly<Record<string, string>> {
  return {
    major: API_MAJOR,
    minor: API_MINOR,
    emulationMajor: API_MAJOR,
    emulationMinor: API_MINOR,
    minCompatibilityMajor: API_MAJOR,
    minCompatibilityMinor: String(Number(API_MINOR) - 1),
    gitVersion: `v${API_MAJOR}.${API_MINOR}.0+skiff.${build.skiffVersion}`,
    gitCommit: build.gitCommit,
    gitTreeState: "clean",
    buildDate: build.buildDate,
    goVersion: `node${build.nodeVersion.replace(/^v/, "")}`,
    compiler: "v8",
    platform: build.platform,
  };
}
