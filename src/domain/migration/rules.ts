/**
 * What a kind of statement means for the release that serves while it is run:
 * `gone` takes something away that it may name, `tightened` refuses what it may write, `locks` keeps it waiting,
 * `unread` could not be looked into, `note` is worth knowing.
 */
export type RuleKind = 'gone' | 'tightened' | 'locks' | 'unread' | 'note';

interface Rule {
  kind: RuleKind;
  why: string;
  next: string;
}

const CONTRACT =
  'first ship a release that does without it; take it away with `contract:`, which runs after the rollback window, or with the migration of a later deploy';
const TWO_STEPS =
  'add the new one beside it and fill both (expand), ship a release that uses the new one, and drop the old one with `contract:`';
const NOT_VALID =
  'first ship a release that keeps to it; then add it NOT VALID, mend old rows, and VALIDATE it, with `contract:` or a later deploy';
const TIMEOUT = "begin the file with SET lock_timeout = '5s', so that it gives up instead of holding everybody up";

const gone = (why: string, next = CONTRACT): Rule => ({ kind: 'gone', why, next });
const tightened = (why: string, next = NOT_VALID): Rule => ({ kind: 'tightened', why, next });
const locks = (why: string, next: string): Rule => ({ kind: 'locks', why, next });
const note = (why: string, next: string): Rule => ({ kind: 'note', why, next });
const unread = (why: string): Rule => ({ kind: 'unread', why, next: 'look at it yourself before you deploy' });

const READ_FAILS = 'what reads or writes it fails as soon as this has run';

export const RULES = {
  'drop-table': gone(READ_FAILS),
  'drop-column': gone(READ_FAILS),
  'drop-view': gone(READ_FAILS),
  'drop-type': gone('what casts to it or writes it fails'),
  'drop-function': gone('what calls it fails'),
  'drop-sequence': gone('what takes numbers from it fails'),
  'drop-schema': gone('everything in it is gone'),
  'drop-partition': gone('its rows are not found in the table any more'),
  truncate: gone('the running release finds no rows'),
  rename: gone('the running release still uses the old name', TWO_STEPS),
  'move-schema': gone('the running release looks for it where it was', TWO_STEPS),
  'rename-enum-value': gone('the running release still writes and compares the old value', TWO_STEPS),
  'change-type': tightened(
    'the running release reads and writes the old type, and the table is rewritten under a lock that stops everybody, unless the types are alike',
    TWO_STEPS,
  ),
  'set-not-null': tightened('the running release may still write NULL, and the whole table is read under a lock'),
  'add-column-not-null': tightened(
    'rows that the running release inserts have no value for it',
    'give it a default, or let it be NULL until a release fills it',
  ),
  'add-check': tightened('the running release may write what it forbids, and all rows are read under a lock'),
  'add-unique': tightened(
    'the running release may write the same value twice',
    'first ship a release that does not; then make it with CREATE UNIQUE INDEX CONCURRENTLY, with `contract:` or a later deploy',
  ),
  'add-foreign-key': tightened('the running release may write rows that refer to nothing, and both tables are locked'),
  'drop-default': tightened(
    'rows that the running release inserts may rely on the default',
    'first ship a release that gives a value',
  ),
  'row-security': tightened(
    'rows are hidden from the running release, and its writes refused',
    'first ship a release that works with it',
  ),
  revoke: tightened('the running release may lose a right that it uses', CONTRACT),
  'add-not-valid': note(
    'old rows are left alone, but what the running release writes is held against it at once',
    'make sure that the running release keeps to it',
  ),
  'drop-constraint': note('INSERT ... ON CONFLICT of the running release may need it', CONTRACT),
  'add-enum-value': note(
    'the running release may read a value that it does not know',
    'write it only from a release on that every release knows it',
  ),
  replace: note('the running release uses the new definition at once', 'make sure that it is right for both'),
  index: locks(
    'writes to the table wait until the index is made',
    'CREATE INDEX CONCURRENTLY, in a file of its own that is not run in a transaction',
  ),
  'drop-index': locks(
    'everybody waits who uses the table, and what the running release asks may become slow',
    'DROP INDEX CONCURRENTLY, with `contract:`',
  ),
  rewrite: locks(
    'the whole table is written anew under a lock that stops everybody',
    'add the column without it, set the default afterwards, and fill old rows in small batches',
  ),
  'heavy-lock': locks('everybody waits who uses the table', 'do it in small steps, or when nobody is there'),
  'whole-table': locks(
    'all rows stay locked until it is done, for those who write them',
    'change rows in batches, each in a transaction of its own',
  ),
  'no-lock-timeout': locks(
    'a lock that it waits for behind a slow query makes everybody else wait behind it, however short it is itself',
    TIMEOUT,
  ),
  'concurrently-in-transaction': locks(
    'CONCURRENTLY fails inside of a transaction',
    'put it into a file of its own, without BEGIN',
  ),
  'unread-block': unread('what DO blocks and functions execute is not looked into'),
  'unread-statement': unread('it is not understood: only SQL as Postgres speaks it is read'),
  'unread-command': unread('commands of psql are not followed'),
  'unread-code': unread('migrations that are programs cannot be read'),
  'unread-file': unread('the file was not read'),
  'changed-file': note(
    'the running release brought it already, so most tools do not run it again, and some refuse to',
    'leave it as it was, and put the change into a new file',
  ),
} as const satisfies Record<string, Rule>;

export type RuleCode = keyof typeof RULES;
