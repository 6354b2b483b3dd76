import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { request } from 'node:http';
import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import { join } from 'node:path';
import { closeSync, openSync } from 'node:fs';
import { onTestFinished } from 'vitest';
import type { ApplyReply, EdgeService, EdgeState } from '../../src/domain/traffic/protocol.ts';
import { edgeServiceSchema } from '../../src/domain/traffic/protocol.ts';
import type { EdgeStats } from '../../src/domain/traffic/stats.ts';
import { edgeStatsSchema } from '../../src/domain/traffic/stats.ts';
import { spawnNode } from '../../src/platform/child.ts';
import type { NodeChild } from '../../src/platform/child.ts';
import { entryFile } from '../../src/platform/entry.ts';
import type { EdgeToKeeper, KeeperToEdge, PortBinding } from '../../src/platform/ipc-messages.ts';
import { portId } from '../../src/platform/ipc-messages.ts';
import { bindPort, isFailure } from '../../src/platform/listen-handle.ts';
import type { ListenHandle } from '../../src/platform/listen-handle.ts';
import { tempDir } from './temp.ts';
import { waitFor } from './wait.ts';

/** An edge process with a test in the place of its keeper and its controller. */
export interface TestEdge {
  readonly pid: number;
  readonly child: NodeChild<EdgeToKeeper, KeeperToEdge>;
  readonly exited: Promise<unknown>;
}

/** Holds listening sockets as the keeper does, and starts edges on them. */
export class EdgeHarness {
  readonly home: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #held = new Map<string, PortBinding & { handle: ListenHandle }>();
  readonly edges = new Set<TestEdge>();
  /** Answered to `need` for these ports. */
  readonly refused = new Map<number, string>();
  /** Lets go of what the edge does not name in `need`, as the keeper does with an edge that serves. */
  letsGo = false;
  /** An edge that is started now is given no socket before this resolves. */
  notBefore: Promise<unknown> = Promise.resolve();

  constructor(env: Record<string, string> = {}) {
    this.home = tempDir('e');
    // EVENKEEL_TEST_EDGE_WORKERS=2: everything that is tested of one edge process, with two.
    const workers = process.env['EVENKEEL_TEST_EDGE_WORKERS'];
    const more = workers === undefined ? {} : { EVENKEEL_EDGE_WORKERS: workers };
    this.#env = { PATH: process.env['PATH'], EVENKEEL_HOME: this.home, ...more, ...env };
    mkdirSync(join(this.home, 'edge'), { recursive: true, mode: 0o700 });
    try {
      onTestFinished(() => this.close());
    } catch {
      // not inside a test: whoever made it closes it
    }
  }

  get folder(): string {
    return join(this.home, 'edge');
  }

  get log(): string {
    return readFileSync(join(this.home, 'edge.log'), 'utf8');
  }

  get socket(): string {
    return join(this.home, 'run', 'edge.sock');
  }

  get probeToken(): string {
    return readFileSync(join(this.home, 'probe-token'), 'utf8').trim();
  }

  /** Starts an edge with all sockets held, and resolves when it is ready. */
  async start(): Promise<TestEdge> {
    const outputFd = openSync(join(this.home, 'edge.log'), 'a', 0o600);
    const child = await spawnNode<EdgeToKeeper, KeeperToEdge>({ entry: entryFile('edge'), env: this.#env, outputFd });
    closeSync(outputFd);
    const given = new Set<string>();
    const { notBefore } = this;
    const give = async (held: PortBinding & { handle: ListenHandle }): Promise<void> => {
      if (given.has(portId(held))) return;
      given.add(portId(held));
      await notBefore;
      child.send({ type: 'listen', id: portId(held), port: held.port, bind: held.bind }, held.handle);
    };
    const ready = new Promise<void>((resolve) => {
      child.onMessage((message) => {
        if (message.type === 'ready') resolve();
        else if (message.type === 'need') {
          const named = new Set(message.ports.map(portId));
          for (const id of this.letsGo ? given : []) {
            const held = this.#held.get(id);
            if (named.has(id) || held === undefined) continue;
            given.delete(id);
            this.#held.delete(id);
            held.handle.close();
            child.send({ type: 'unlisten', port: held.port, bind: held.bind });
          }
          for (const binding of message.ports) {
            const held = this.#hold(binding);
            if (typeof held === 'string') child.send({ type: 'listen-failed', ...binding, code: held });
            else void give(held);
          }
        }
      });
    });
    for (const held of this.#held.values()) void give(held);
    child.send({ type: 'listen-all' });
    const edge = { pid: child.pid, child, exited: child.exited };
    this.edges.add(edge);
    void child.exited.then(() => this.edges.delete(edge));
    const ended = child.exited.then(({ code }) => {
      throw new Error(`the edge ended with ${code}: ${this.log}`);
    });
    await Promise.race([ready, ended]);
    ended.catch(() => undefined);
    return edge;
  }

  /** A new edge takes over; resolves with it, while the former one drains. */
  async handOver(from: TestEdge): Promise<TestEdge> {
    const next = await this.start();
    from.child.send({ type: 'drain' });
    return next;
  }

  async kill(edge: TestEdge): Promise<void> {
    edge.child.kill('SIGKILL');
    await edge.exited;
  }

  #hold(binding: PortBinding): (PortBinding & { handle: ListenHandle }) | string {
    const known = this.#held.get(portId(binding));
    if (known !== undefined) return known;
    const refused = this.refused.get(binding.port);
    if (refused !== undefined) return refused;
    const handle = bindPort(binding);
    if (isFailure(handle)) return handle.code;
    const held = { ...binding, handle };
    this.#held.set(portId(binding), held);
    return held;
  }

  async apply(fence: number, services: EdgeService[], remove: string[] = []): Promise<ApplyReply> {
    return (await this.#control('POST', '/apply', { fence, services, remove })) as ApplyReply;
  }

  /** Applies and insists. */
  async set(fence: number, ...services: EdgeService[]): Promise<void> {
    const reply = await this.apply(fence, services);
    if (!reply.applied) throw new Error(`refused: ${JSON.stringify(reply.refused)}`);
  }

  async state(): Promise<EdgeState> {
    return (await this.#control('GET', '/state')) as EdgeState;
  }

  async stats(): Promise<EdgeStats> {
    return edgeStatsSchema.parse(await this.#control('GET', '/stats'));
  }

  /** Counts of one release, zeros when it has none. */
  async release(name: string): Promise<EdgeStats['releases'][number]> {
    const found = (await this.stats()).releases.find(({ release }) => release === name);
    if (found === undefined) throw new Error(`no counts of ${name}`);
    return found;
  }

  async healthy(...ids: string[]): Promise<void> {
    await waitFor(
      async () => {
        const { services } = await this.state();
        const known = new Map(services.flatMap(({ instances }) => instances.map((each) => [each.id, each.healthy])));
        return ids.every((id) => known.get(id) === true);
      },
      { what: `${ids.join(', ')} to be healthy` },
    );
  }

  async #control(method: string, path: string, body?: unknown): Promise<unknown> {
    const reply = await send(
      { socketPath: this.socket, method, path, agent: false },
      body === undefined ? '' : JSON.stringify(body),
    );
    return JSON.parse(reply.body);
  }

  /** All processes of this harness: edges, and workers also after whoever started them. */
  processes(): number[] {
    const pids = readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? [Number(name)] : []));
    return pids.filter((pid) => environmentOf(pid).includes(`EVENKEEL_HOME=${this.home}`));
  }

  async close(): Promise<void> {
    for (const edge of this.edges) edge.child.kill('SIGKILL');
    await Promise.all([...this.edges].map((edge) => edge.exited));
    for (const pid of this.processes()) endProcess(pid);
    await waitFor(() => this.processes().length === 0, { what: 'workers to end' });
    for (const { handle } of this.#held.values()) handle.close();
  }
}

function environmentOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0');
  } catch {
    return []; // it has ended
  }
}

function endProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // it has ended by itself
  }
}

export interface Reply {
  status: number;
  headers: IncomingMessage['headers'];
  body: string;
}

/** One request on a connection of its own, unless an agent says otherwise. */
export function send(options: RequestOptions, body: string | Buffer = ''): Promise<Reply> {
  return replyTo(request({ host: '127.0.0.1', agent: false, ...options }), body);
}

/** Ends a request with its body, and collects what is answered. */
export function replyTo(req: ClientRequest, body: string | Buffer): Promise<Reply> {
  return new Promise((resolve, reject) => {
    req.on('response', (res) => {
      const chunks: Buffer[] = [];
      res.on('data', (chunk: Buffer) => chunks.push(chunk));
      res.on('error', reject);
      res.on('end', () =>
        resolve({ status: res.statusCode ?? 0, headers: res.headers, body: Buffer.concat(chunks).toString('utf8') }),
      );
    });
    req.on('error', reject);
    req.end(body);
  });
}

/** A service with sensible settings for tests; `releases` by name, weight and ports. */
export function service(
  name: string,
  port: number | null,
  releases: { release: string; weight: number; ports?: number[]; root?: string; spa?: boolean; startedAt?: number }[],
  changes: Partial<EdgeService> = {},
): EdgeService {
  return edgeServiceSchema.parse({
    project: 'test',
    environment: 'production',
    service: name,
    unit: 'unit',
    routes: port === null ? [] : [{ port, host: null, path: '/' }],
    internalPort: null,
    preview: null,
    releases: releases.map(({ release, weight, ports = [], root, spa = false, startedAt = 1 }) => ({
      release,
      weight,
      instances: ports.map((each) => ({ id: `${release}-${each}`, port: each, startedAt })),
      static: root === undefined ? null : { root, spa },
    })),
    split: null,
    whenEmpty: 'hold',
    health: { path: '/health', graceMs: 10_000, intervalMs: 200, timeoutMs: 1_000 },
    timeoutMs: 5_000,
    drainMs: 1_000,
    ...changes,
  });
}
