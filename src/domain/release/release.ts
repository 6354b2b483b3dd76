import type { ServiceConfig } from '../project/project.ts';

/** Where a release's source came from, as far as the project's folder could tell. */
export interface SourceInfo {
  /** Full commit hash, or null outside a repository. */
  commit: string | null;
  /** The working tree held changes that no commit has. */
  dirty: boolean;
  /** Such as `v1.6.0`: given by hand, else the git tag on the commit, else package.json's version. */
  label: string | null;
}

/** An immutable version of a service. Its artifact is null until it was built; nothing else ever changes. */
export interface Release {
  /** Such as `api@42`; unique within the project. */
  id: string;
  project: string;
  environment: string;
  service: string;
  /** Grows by one for each release of a service of a project. */
  number: number;
  source: SourceInfo;
  /** Content address of the built files, or null before the build ended. */
  artifact: string | null;
  configDigest: string;
  config: ServiceConfig;
  createdBy: string;
  createdAt: number;
}

/** Where one release of a service asks another service, for as long as it runs: a loopback port of the edge. */
export interface Address {
  project: string;
  environment: string;
  /** Who asks. */
  release: string;
  /** Who is asked. */
  service: string;
  port: number;
}

/** What a service of an environment serves now. */
export interface Deployment {
  project: string;
  environment: string;
  service: string;
  /** Release id that has been promoted last (and not taken back), or null before the first. */
  current: string | null;
  /** Kept hot for an instant rollback while its rollout's window is open, or null. */
  former: string | null;
  /** The release whose contract was begun last: what is older does not fit the database any more. Null: none was. */
  contracted: string | null;
  /** Stable loopback port for service-to-service calls; null for none. */
  internalPort: number | null;
  /** Loopback port of the edge for previews of releases that have no traffic yet; null for none. */
  previewPort: number | null;
}
