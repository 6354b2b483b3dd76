import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { runCommand } from '../../../src/platform/process/spawn.ts';
import { spawn } from 'node:child_process';
import type { TestCertificate } from '../certificates.ts';
import { waitFor } from '../wait.ts';
import { freePort } from '../free-port.ts';

/** For a client that says nothing more, s. What waits longer than a busy machine keeps anybody waiting. */
export const PATIENCE_S = 3;

/** A proxy that people trust, in front of an instance. */
export interface Proxy {
  readonly name: 'nginx' | 'haproxy';
  readonly port: number;
  readonly tlsPort: number;
  stop(): Promise<void>;
}

type Start = (folder: string, instance: number, certificate: TestCertificate) => Promise<Proxy>;

/** Those that are installed. What is missing is said, since a comparison with nobody proves little. */
export const reference: readonly Start[] = (
  await Promise.all(
    (
      [
        ['nginx', '-v', startNginx],
        ['haproxy', '-v', startHaproxy],
      ] as const
    ).map(async ([name, flag, start]) => {
      const there = await runCommand([name, flag]).then(
        ({ code }) => code === 0,
        () => false,
      );
      if (!there) console.warn(`the corpus is not compared with ${name}: it is not installed`);
      return there ? [start] : [];
    }),
  )
).flat();

async function startNginx(folder: string, instance: number, { cert, key }: TestCertificate): Promise<Proxy> {
  const [port, tlsPort] = [await freePort(), await freePort()];
  const config = join(folder, 'nginx.conf');
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (each) => `${each}_temp_path ${folder}/${each};`,
  );
  writeFileSync(
    config,
    `daemon off; master_process off; worker_processes 1; pid ${folder}/nginx.pid; error_log ${folder}/nginx.log;
     events { worker_connections 2048; }
     http { access_log off; ${temporary.join(' ')}
       client_header_timeout ${PATIENCE_S}s; client_body_timeout ${PATIENCE_S}s; keepalive_timeout ${PATIENCE_S}s;
       client_max_body_size 0; large_client_header_buffers 4 48k; ssl_certificate ${cert}; ssl_certificate_key ${key};
       server { listen 127.0.0.1:${port}; listen 127.0.0.1:${tlsPort} ssl http2;
         location / { proxy_pass http://127.0.0.1:${instance}; proxy_http_version 1.1; proxy_set_header Host $host; } } }`,
  );
  return run('nginx', [port, tlsPort], ['-c', config, '-p', folder, '-e', `${folder}/nginx.log`]);
}

async function startHaproxy(folder: string, instance: number, { cert, key }: TestCertificate): Promise<Proxy> {
  const [port, tlsPort] = [await freePort(), await freePort()];
  const [config, pem] = [join(folder, 'haproxy.cfg'), join(folder, 'haproxy.pem')];
  writeFileSync(pem, readFileSync(cert, 'utf8') + readFileSync(key, 'utf8'));
  writeFileSync(
    config,
    `global\n  nbthread 1\n  maxconn 2048\n  tune.bufsize 49152\n  tune.maxrewrite 1024\n  tune.http.maxhdr 32767\ndefaults\n  mode http\n  timeout connect 5s\n  timeout client ${PATIENCE_S}s
  timeout server ${PATIENCE_S}s\n  timeout http-request ${PATIENCE_S}s\n  timeout http-keep-alive ${PATIENCE_S}s
frontend f\n  bind 127.0.0.1:${port}\n  bind 127.0.0.1:${tlsPort} ssl crt ${pem} alpn h2,http/1.1\n  default_backend b
backend b\n  http-reuse never\n  server o 127.0.0.1:${instance}\n`,
  );
  return run('haproxy', [port, tlsPort], ['-db', '-f', config]);
}

async function run(name: Proxy['name'], [port, tlsPort]: readonly [number, number], args: string[]): Promise<Proxy> {
  const child = spawn(name, args, { stdio: 'ignore' });
  const exited = new Promise<void>((resolve) => child.on('exit', () => resolve()));
  await waitFor(() => accepts(port), { what: `${name} to listen` });
  return {
    name,
    port,
    tlsPort,
    async stop() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

const accepts = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
