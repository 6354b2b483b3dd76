export interface SecretInfo {
  name: string;
  /** When this value was set, ms since 1970. */
  updatedAt: number;
  /** Who set it, as they named themselves; null when that is not known. */
  setBy: string | null;
  /** Names this value among all that the secret ever had. Made by chance: it says nothing about the value. */
  version: string;
}

/** Secrets of an environment. Values go in and come out here only; they are in no log, message or argument list. */
export interface Secrets {
  set(scope: SecretScope, name: string, value: string, by?: string): Promise<void>;
  /**
   * All of them or none. One whose value is what it was keeps its version, its age and who set it. Answers the names of
   * those that have a new value. The former values are kept until `forgetFormer`.
   */
  setAll(scope: SecretScope, values: ReadonlyMap<string, string>, by: string | null): Promise<string[]>;
  list(scope: SecretScope): Promise<SecretInfo[]>;
  /** False when there was none. Former values go with it. */
  remove(scope: SecretScope, name: string): Promise<boolean>;
  /**
   * EvenkeelError `secret-missing` names every one that is not there. `versions` asks for certain values by the name of
   * the secret; one that is not kept any more is answered with today's.
   */
  resolve(
    scope: SecretScope,
    names: string[],
    versions?: Readonly<Record<string, string>>,
  ): Promise<Record<string, string>>;
  /** Deletes the former values that nobody needs; answers how many. */
  forgetFormer(isNeeded: (value: SecretScope & { name: string; version: string }) => boolean): Promise<number>;
}

export interface SecretScope {
  project: string;
  environment: string;
}
