/** What a client of evenkeel's own says beside its request. */

/** Its version. */
export const VERSION_HEADER = 'evenkeel-version';

/** Who sits at the command that asks, percent-encoded. Believed of whoever has the token of the server's folder. */
export const PERSON_HEADER = 'evenkeel-by';

/** Names a call that changes something: the same again is not carried out again. */
export const KEY_HEADER = 'idempotency-key';
