import type { EnvTemplate } from '../../project/project.ts';
import type { CloudSecret } from '../config.ts';

/**
 * How a service runs on Cloud Run. It is part of a release: whoever goes back to an old one goes back to its limits,
 * scaling and variables too.
 */
export interface CloudRunConfig {
  /** Id of the cloud project. */
  project: string;
  region: string;
  /** Of the service in the cloud. */
  name: string;
  /** Answers to everybody once it is promoted. */
  public: boolean;
  port: number;
  /** Bytes; cores. */
  memory: number;
  cpu: number;
  minInstances: number;
  maxInstances: number;
  timeoutS: number;
  concurrency: number;
  /** The whole address of the account that it runs as. */
  account: string;
  /** `PROJECT:REGION:INSTANCE`, or null when it uses no database. */
  sql: string | null;
  /** How it reaches a network, or null. */
  network: { name: string; connector: string | null } | null;
  /** Relative to the project's folder. */
  dockerfile: string;
  context: string;
  /** Where its images are kept, without tag; or one that is used as it is. */
  repository: string;
  image: string | null;
  env: EnvTemplate;
  /** Ids of the secrets that `env` names, by the variable in which the file knows them. */
  secrets: CloudSecret[];
  /** Names in the cloud of the services whose addresses `env` asks for, by their names in the file. */
  names: Record<string, string>;
  /** Beside evenkeel's own. */
  labels: Record<string, string>;
}
