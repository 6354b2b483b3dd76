import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { runCommand } from '../../src/platform/process/spawn.ts';
import { certificate } from './certificates.ts';
import { tempDir } from './temp.ts';
import { waitFor } from './wait.ts';
import { freePort } from './free-port.ts';

/** Why no issuer can be had here, or null. */
export const noPebble: string | null = await runCommand(['pebble', '-version'], {}).then(
  () => null,
  () => 'pebble (an ACME server for tests) is not installed: apt-get install pebble',
);
if (noPebble !== null) console.warn(`tests of ACME are left out: ${noPebble}`);

export interface PebbleOptions {
  /** Of the edge: where the issuer asks. */
  httpPort: number;
  tlsPort: number;
  /** Seconds that certificates last. */
  validity?: number;
  /** Hosts that it refuses. */
  blocked?: string[];
  /** Such as `PEBBLE_WFE_NONCEREJECT`. */
  env?: Record<string, string>;
}

/** A real issuer on loopback, for which every host leads to this machine. */
export interface Pebble {
  directory: string;
  /** PEM file of what the issuer itself is trusted by. */
  ca: string;
  /** What it signs with, in PEM form. */
  root(): Promise<string>;
  /** What it said so far. */
  log(): string;
  /** Of requests that it answered, by a part of what it logs of them. */
  count(part: string): number;
  /** Begins (again, with nothing that it knew before), perhaps with other options. */
  start(options?: Partial<PebbleOptions>): Promise<void>;
  /** Whether it finds out where a host leads: as long as not, it takes orders and proves nothing (for some seconds). */
  findsHosts(finds: boolean): void;
  stop(): Promise<void>;
}

/** Starts one; whoever calls it stops it. */
export async function pebble(given: PebbleOptions): Promise<Pebble> {
  const folder = tempDir('pebble');
  const own = await certificate(folder, 'issuer', ['localhost', '127.0.0.1']);
  const [port, managementPort, dnsPort, dnsManagement] = await Promise.all([0, 1, 2, 3].map(() => freePort()));
  let options = given;
  let output = '';
  let running: ChildProcess[] = [];
  const get = (path: string, at: number | undefined): Promise<string> =>
    new Promise((resolve, reject) => {
      const asked = request({ host: '127.0.0.1', port: at, path, ca: own.pem, agent: false }, (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => (text += chunk.toString()));
        response.on('end', () => resolve(text));
      });
      asked.on('error', reject).end();
    });
  const begin = (program: string, args: string[], env: Record<string, string>): ChildProcess => {
    const child = spawn(program, args, {
      cwd: folder,
      env: { PATH: process.env['PATH'] ?? '', GODEBUG: 'netdns=go', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (output = `${output}${chunk.toString()}`.slice(-400_000)));
    return child;
  };
  const stop = async (): Promise<void> => {
    for (const child of running.splice(0)) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  };
  const start: Pebble['start'] = async (changes = {}) => {
    options = { ...options, ...changes };
    const config = {
      listenAddress: `127.0.0.1:${port}`,
      managementListenAddress: `127.0.0.1:${managementPort}`,
      certificate: own.cert,
      privateKey: own.key,
      httpPort: options.httpPort,
      tlsPort: options.tlsPort,
      ocspResponderURL: '',
      externalAccountBindingRequired: false,
      domainBlocklist: options.blocked ?? [],
      ...(options.validity === undefined ? {} : { certificateValidityPeriod: options.validity }),
    };
    writeFileSync(join(folder, 'config.json'), JSON.stringify({ pebble: config }));
    const none = ['-http01', '', '-https01', '', '-tlsalpn01', ''];
    const dns = ['-dns01', `127.0.0.1:${dnsPort}`, '-management', `127.0.0.1:${dnsManagement}`, '-defaultIPv6', ''];
    running = [
      begin('pebble-challtestsrv', [...dns, ...none], {}),
      begin('pebble', ['-config', 'config.json', '-dnsserver', `127.0.0.1:${dnsPort}`], {
        PEBBLE_VA_NOSLEEP: '1',
        PEBBLE_WFE_NONCEREJECT: '0',
        PEBBLE_AUTHZREUSE: '0',
        ...options.env,
      }),
    ];
    await waitFor(
      () => {
        if (running.some(({ exitCode }) => exitCode !== null)) throw new Error(`it ended: ${output}`);
        return get('/dir', port);
      },
      { what: 'the issuer', timeout: 30_000, interval: 50 },
    );
  };
  await start();
  return {
    directory: `https://127.0.0.1:${port}/dir`,
    ca: own.cert,
    root: () => get('/roots/0', managementPort),
    log: () => output,
    count: (part) => output.split(part).length - 1,
    start,
    findsHosts: (finds) => void running[0]?.kill(finds ? 'SIGCONT' : 'SIGSTOP'),
    stop,
  };
}
