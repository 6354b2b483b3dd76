import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { tempDir } from './temp.ts';
import { waitFor } from './wait.ts';
import { freePort } from './free-port.ts';

const run = promisify(execFile);

/** Characters that a URL, a shell or SQL would make something else of. */
export const PASSWORD = `p@ss/w:rd?#%41'é "x"`;

/** A real Postgres server of this test file, on a Unix socket in a folder of its own. */
export interface PostgresServer {
  /** Of its socket, and on 127.0.0.1 when it speaks TLS. */
  port: number;
  /** With TLS, the file of the certificate that it shows, which is for 127.0.0.1. */
  certificate: string;
  /** The folder of its socket. */
  socket: string;
  /** A new, empty database, and how to reach it; `host` and `port` when by another way than the socket. */
  newDatabase(): Promise<string>;
  url(database: string, way?: { host: string; port: number }): string;
  /** Says SQL to a database as its superuser, and gives the rows. */
  sql(database: string, text: string): Promise<Record<string, unknown>[]>;
  /** Ends it as a power cut would (`SIGQUIT`), or in order, cutting who is connected (`SIGINT`). */
  stop(signal?: 'SIGINT' | 'SIGQUIT'): Promise<void>;
  start(): Promise<void>;
}

/**
 * Makes and starts a server; whoever calls it stops it. Every text is sorted as English is there, and everybody needs a
 * password: what works so works with a database that is kinder. With `tls` it also listens on 127.0.0.1.
 */
export async function postgresServer({ tls = false } = {}): Promise<PostgresServer> {
  const port = tls ? await freePort() : 5432;
  const bin = await programs();
  const user = serverUser();
  const folder = tempDir('pg');
  const data = join(folder, 'data');
  const socket = join(folder, 's');
  const passwordFile = join(folder, 'password');
  mkdirSync(socket);
  writeFileSync(passwordFile, PASSWORD);
  if (user !== null) for (const path of [folder, socket, passwordFile]) chownSync(path, user.uid, user.gid);
  const identity = { cwd: folder, ...user };
  await run(
    join(bin, 'initdb'),
    // Not waiting for the disk: only the whole machine's fall would show that.
    ['-D', data, '-U', 'admin', '-A', 'scram-sha-256', `--pwfile=${passwordFile}`, '--encoding=UTF8', '--no-sync']
      // Which only newer ones know.
      .concat(versionOf(bin) < 15 ? [] : ['--locale=C.UTF-8', '--locale-provider=icu', '--icu-locale=en-US']),
    identity,
  );
  const certificate = join(folder, 'server.crt');
  const key = join(folder, 'server.key');
  if (tls) {
    const options = ['-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=test'];
    const names = ['-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', certificate];
    await run('openssl', ['req', ...options, ...names], identity);
  }
  let server: ChildProcess | null = null;
  let output = '';
  let count = 0;

  const url: PostgresServer['url'] = (database, way) => {
    const host = way === undefined ? encodeURIComponent(socket) : `${way.host}:${way.port}`;
    return `postgres://admin:${encodeURIComponent(PASSWORD)}@${host}/${database}`;
  };
  const sql: PostgresServer['sql'] = async (database, text) => {
    const client = new Client({ host: socket, port, user: 'admin', password: PASSWORD, database });
    client.on('error', () => {});
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(text)).rows;
    } finally {
      await client.end();
    }
  };
  const start = async (): Promise<void> => {
    const network = tls
      ? ['listen_addresses=127.0.0.1', 'ssl=on', `ssl_cert_file=${certificate}`, `ssl_key_file=${key}`]
      : ['listen_addresses='];
    const settings = [...network, `unix_socket_directories=${socket}`, 'fsync=off', 'max_connections=60'];
    const child = spawn(
      join(bin, 'postgres'),
      ['-D', data, '-p', String(port), ...settings.flatMap((setting) => ['-c', setting])],
      { ...identity, stdio: ['ignore', 'ignore', 'pipe'] },
    );
    server = child;
    child.stderr.on('data', (chunk: Buffer) => (output = `${output}${chunk.toString()}`.slice(-8_000)));
    await waitFor(
      () => {
        if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}: ${output}`);
        return sql('postgres', 'select 1');
      },
      { what: 'the Postgres server', timeout: 60_000, interval: 50 },
    );
  };
  const stop: PostgresServer['stop'] = async (signal = 'SIGINT') => {
    const child = server;
    server = null;
    if (child === null || child.exitCode !== null) return;
    child.kill(signal);
    await once(child, 'exit');
  };
  await start();
  return {
    port,
    certificate,
    socket: join(socket, `.s.PGSQL.${port}`),
    url,
    sql,
    start,
    stop,
    async newDatabase() {
      const name = `store${++count}`;
      await sql('postgres', `create database ${name}`);
      return name;
    },
  };
}

/** The folder of the server's programs; they are installed when they are missing and that is allowed. */
async function programs(): Promise<string> {
  const known = newestPrograms();
  if (known !== null) return known;
  if (process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    const patient = ['-qq', '-o', 'DPkg::Lock::Timeout=300'];
    await run('apt-get', [...patient, 'update'], { env });
    await run('apt-get', [...patient, 'install', '-y', '--no-install-recommends', 'postgresql'], { env });
  }
  const installed = newestPrograms();
  if (installed !== null) return installed;
  throw new Error('There is no Postgres server on this machine: install the package postgresql.');
}

function newestPrograms(): string | null {
  const found = globSync('/usr/lib/postgresql/*/bin/postgres').map((program) => dirname(program));
  return found.toSorted((a, b) => versionOf(b) - versionOf(a))[0] ?? null;
}

const versionOf = (bin: string): number => Number(bin.split('/').at(-2));

/** Postgres refuses to run as root: the user that its package made, or any that can do nothing. */
function serverUser(): { uid: number; gid: number } | null {
  if (process.getuid?.() !== 0) return null;
  const users = readFileSync('/etc/passwd', 'utf8').split('\n');
  const line = users.find((each) => each.startsWith('postgres:')) ?? users.find((each) => each.startsWith('nobody:'));
  const [, , uid, gid] = (line ?? '').split(':').map(Number);
  if (uid === undefined || gid === undefined) throw new Error('there is no user to run Postgres as');
  return { uid, gid };
}
