/** A call that is to be carried out once, by the key that its caller gave it. */
export interface KeyName {
  /** Whose key it is. */
  who: string;
  /** Its digest: the key itself is kept nowhere. */
  key: string;
}

export interface KeyClaim extends KeyName {
  operation: string;
  /** A digest of what is asked for. */
  content: string;
  at: number;
  /** Of the controller that carries it out. */
  fence: number;
}

export interface KnownKey extends KeyClaim {
  /** JSON; null: whoever claimed it has not answered. */
  answer: string | null;
}

export interface IdempotencyStore {
  /** Of many that claim a key at once, one has it. */
  claimKey(claim: KeyClaim): Promise<{ claimed: true } | { claimed: false; known: KnownKey }>;
  /** The claim of a controller that is gone; false when it has an answer, or somebody else has taken it. */
  takeOverKey(known: KnownKey, fence: number): Promise<boolean>;
  /** Writes the answer, once, by whoever has the claim. */
  answerKey(name: KeyName & { fence: number }, answer: string): Promise<void>;
  /** Nothing was done: whoever asks again begins anew. */
  releaseKey(name: KeyName & { fence: number }): Promise<void>;
  /** Deletes those from before this time; answers how many. */
  forgetKeys(before: number): Promise<number>;
}
