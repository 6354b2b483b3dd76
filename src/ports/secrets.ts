export interface SecretInfo {
  name: string;
  updatedAt: number;
}

/** Secrets of an environment. Values go in and come out here only; they are in no log, message or argument list. */
export interface Secrets {
  set(scope: SecretScope, name: string, value: string): Promise<void>;
  list(scope: SecretScope): Promise<SecretInfo[]>;
  /** False when there was none. */
  remove(scope: SecretScope, name: string): Promise<boolean>;
  /** EvenkeelError `secret-missing` names every one that is not there. */
  resolve(scope: SecretScope, names: string[]): Promise<Record<string, string>>;
}

export interface SecretScope {
  project: string;
  environment: string;
}
