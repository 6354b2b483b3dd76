import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { userInfo } from 'node:os';
import type { ClientConfig } from 'pg';
import { EvenkeelError } from '../../ports/errors.ts';

/** Where the database is and how to get in. */
export interface PostgresSettings {
  /** A host name, an address, or the folder of a Unix socket. */
  host: string;
  port: number;
  database: string;
  user: string;
  password: string | null;
  /** `ca` is the text of the certificates to trust instead of the system's. */
  tls: false | { verify: boolean; ca: string | null };
  /** For people and logs: without user and password. */
  where: string;
}

const PARAMETERS = ['host', 'user', 'sslmode', 'sslrootcert'];
const EXAMPLE = 'postgres://evenkeel:PASSWORD@db.example.com/evenkeel';

/**
 * Reads `postgres://user:password@host:port/database`. A Unix socket's folder is `?host=/run/postgresql`, or the host
 * itself with `%2F` for its slashes. `sslmode` is `disable`, `require` (encrypted, whoever answers) or `verify-full`;
 * without it a server elsewhere must prove who it is, and one on this machine is spoken to in the clear.
 *
 * Nothing of the text is repeated in an error, since anything in it may be the password.
 * @throws EvenkeelError `store-settings`.
 */
export function postgresSettings(text: string): PostgresSettings {
  const url = parse(text);
  const unknown = [...url.searchParams.keys()].find((name) => !PARAMETERS.includes(name));
  if (unknown !== undefined) {
    throw invalid(`One of its parameters is not known; there are ${PARAMETERS.join(', ')}.`);
  }
  const host = url.searchParams.get('host') ?? (decoded(url.hostname).replace(/^\[(.*)\]$/, '$1') || 'localhost');
  if (host.includes(',')) throw invalid('It names several hosts, and one is meant.');
  const port = url.port === '' ? 5432 : Number(url.port);
  const database = decoded(url.pathname.slice(1));
  if (database === '' || database.includes('/')) throw invalid('It names no database.');
  const user = (url.searchParams.get('user') ?? decoded(url.username)) || userInfo().username;
  const password = url.password === '' ? null : decoded(url.password);
  const where = `Postgres database ${database} on ${host.startsWith('/') ? host : `${host}:${port}`}`;
  return { host, port, database, user, password, tls: tlsOf(url, host), where };
}

/** For `pg`: every value is given, so that none of its PG… variables, meant for others, has a say. */
export function clientConfig(settings: PostgresSettings): ClientConfig {
  const { host, port, database, user, password, tls } = settings;
  const ssl = tls && { rejectUnauthorized: tls.verify, ...(tls.ca === null ? {} : { ca: tls.ca }) };
  // As a function it is not a property of anything that might be printed, and no password file is asked.
  const asked = (): string => password ?? '';
  // Of several controllers: which one it is that the server sees.
  const name = `evenkeel ${process.pid}`;
  return { host, port, database, user, password: asked, ssl, keepAlive: true, application_name: name };
}

function parse(text: string): URL {
  // Not the error of URL itself: that repeats the text.
  const url = URL.parse(text);
  if (url === null || !/^postgres(ql)?:$/.test(url.protocol)) throw invalid('It is not a URL of Postgres.');
  return url;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid('It holds a % that begins no escape; write a % in a password as %25.');
  }
}

function tlsOf(url: URL, host: string): PostgresSettings['tls'] {
  const near =
    host.startsWith('/') || host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
  const mode = url.searchParams.get('sslmode') ?? (near ? 'disable' : 'verify-full');
  const file = url.searchParams.get('sslrootcert');
  if (mode === 'disable') return false;
  if (mode === 'require') return { verify: false, ca: null };
  if (mode === 'verify-full') return { verify: true, ca: file === null ? null : certificates(file) };
  throw invalid('Its sslmode is none of disable, require and verify-full.');
}

function certificates(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw invalid(`The certificates that its sslrootcert names cannot be read (${code}).`);
  }
}

function invalid(why: string): EvenkeelError {
  return new EvenkeelError({
    code: 'store-settings',
    what: 'EVENKEEL_DATABASE_URL cannot be used.',
    why,
    next: `Set it to something like ${EXAMPLE}, or unset it: without it the state is kept in a file.`,
  });
}
