import { execFileSync, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ALLOCATOR_ENV, NODE_OPTIONS } from '../../src/platform/entry.ts';
import { freePort } from '../../test/support/free-port.ts';

/** A proxy (or the origin itself) that answers on a port until it is stopped. */
export interface Running {
  readonly name: string;
  readonly port: number;
  stop(): Promise<void>;
}

const file = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 15_000;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`${what} did not come up within 15 s`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const accepts = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.on('connect', () => resolve((socket.destroy(), true)));
    socket.on('error', () => resolve(false));
  });

/** Starts a program in the foreground and waits for its port. */
async function run(
  name: string,
  port: number,
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<Running> {
  const child = spawn(command, args, { stdio: 'ignore', env: { ...process.env, ...env } });
  const exited = new Promise<void>((resolve) => child.on('exit', () => resolve()));
  child.on('error', () => undefined);
  await until(name, () => accepts(port));
  return {
    name,
    port,
    async stop() {
      child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), 3_000);
      await exited;
      clearTimeout(late);
    },
  };
}

export const startOrigin = async (): Promise<Running> => {
  const port = await freePort();
  return run('origin', port, process.execPath, [file('origin.ts'), String(port)]);
};

/** Our edge, one worker, all defaults on: a canary at 10 %, so sessions are told apart and evidence is counted. */
export async function startEdge(folder: string, origin: number): Promise<Running> {
  const [port, home] = [await freePort(), join(folder, 'evenkeel')];
  const socket = join(home, 'run', 'edge.sock');
  const entry = file('../../src/edge/main.ts');
  const child = spawn(process.execPath, [...NODE_OPTIONS.edge, entry], {
    stdio: 'ignore',
    env: { ...ALLOCATOR_ENV, ...process.env, EVENKEEL_HOME: home },
  });
  const exited = new Promise<void>((resolve) => child.on('exit', () => resolve()));
  const instance = (release: string) => [{ id: release, port: origin, startedAt: 1, draining: false }];
  const service = {
    project: 'bench',
    environment: 'production',
    service: 'web',
    unit: 'bench',
    routes: [{ port, host: null, path: '/' }],
    internalPort: null,
    preview: null,
    releases: [
      { release: 'web@1', weight: 90, instances: instance('web@1'), static: null },
      { release: 'web@2', weight: 10, instances: instance('web@2'), static: null },
    ],
    split: { rollout: 'bench', canary: 'web@2', baseline: 'web@1', slow: { p75Ms: 1_000, p95Ms: 2_000 } },
    whenEmpty: 'hold',
    health: { path: '/', graceMs: 5_000, intervalMs: 5_000, timeoutMs: 1_000 },
    timeoutMs: 30_000,
    drainMs: 1_000,
  };
  await until('the edge', () => control(socket, { fence: 1, services: [service], remove: [] }));
  await until('the edge', () => accepts(port));
  return {
    name: 'evenkeel',
    port,
    async stop() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

function control(socketPath: string, command: unknown): Promise<boolean> {
  return new Promise((resolve) => {
    const req = request({ socketPath, path: '/apply', method: 'POST' }, (res) => {
      res.resume();
      res.on('end', () => resolve(res.statusCode === 200));
    });
    req.on('error', () => resolve(false));
    req.end(JSON.stringify(command));
  });
}

async function startNginx(folder: string, origin: number): Promise<Running> {
  const port = await freePort();
  const config = join(folder, 'nginx.conf');
  writeFileSync(
    config,
    `daemon off; worker_processes 1; pid ${folder}/nginx.pid; error_log ${folder}/nginx.log;
     events { worker_connections 4096; }
     http { access_log off; client_body_temp_path ${folder}/b; proxy_temp_path ${folder}/p; fastcgi_temp_path ${folder}/f;
       uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s; keepalive_requests 1000000;
       upstream o { server 127.0.0.1:${origin}; keepalive 256; keepalive_requests 1000000; }
       server { listen 127.0.0.1:${port}; location / { proxy_pass http://o; proxy_http_version 1.1; proxy_set_header Connection "";
         proxy_set_header Host $host; proxy_set_header X-Forwarded-For $remote_addr; } } }`,
  );
  return run('nginx', port, 'nginx', ['-c', config, '-p', folder]);
}

async function startHaproxy(folder: string, origin: number): Promise<Running> {
  const port = await freePort();
  const config = join(folder, 'haproxy.cfg');
  writeFileSync(
    config,
    `global\n  nbthread 1\n  maxconn 4096\ndefaults\n  mode http\n  option forwardfor\n  timeout connect 5s\n  timeout client 30s
  timeout server 30s\nfrontend f\n  bind 127.0.0.1:${port}\n  default_backend b\nbackend b\n  http-reuse always\n  server o 127.0.0.1:${origin}\n`,
  );
  return run('haproxy', port, 'haproxy', ['-db', '-f', config]);
}

async function startCaddy(folder: string, origin: number): Promise<Running> {
  const port = await freePort();
  const config = join(folder, 'Caddyfile');
  writeFileSync(
    config,
    `{\n  admin off\n  auto_https off\n}\nhttp://:${port} {\n  bind 127.0.0.1\n  reverse_proxy 127.0.0.1:${origin}\n}\n`,
  );
  const env = { GOMAXPROCS: '1', XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder };
  return run('caddy', port, 'caddy', ['run', '--adapter', 'caddyfile', '--config', config], env);
}

/** Whether a program can be started here. */
export function isInstalled(command: string): boolean {
  try {
    execFileSync('sh', ['-c', 'command -v "$0"', command], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Starts everything that can run here, each with one worker, in front of the same origin; what runs is put into `started`. */
export async function startProxies(folder: string, origin: number, started: Running[]): Promise<Running[]> {
  const before = started.length;
  started.push(await startEdge(folder, origin));
  for (const [command, start] of Object.entries({ nginx: startNginx, haproxy: startHaproxy, caddy: startCaddy }))
    if (isInstalled(command)) started.push(await start(folder, origin));
  return started.slice(before);
}
