import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { edgeWorkers } from '../platform/edge-workers.ts';
import { evenkeelPaths } from '../platform/paths.ts';
import { readOrCreateToken } from '../platform/tokens.ts';

/** How an edge process runs. All times are milliseconds. */
export interface EdgeOptions {
  /** Owner-only folder for the table, the counters and the evidence. */
  readonly folder: string;
  /** Of all logs of this machine; access logs lie below it. */
  readonly logs: string;
  /** Unix socket of the control interface. */
  readonly socket: string;
  /** What evenkeel's own probes show; empty: no probe is believed. */
  readonly probeToken: string;
  readonly hold: { readonly requests: number; readonly ms: number };
  /**
   * Connections of a draining edge that stay idle for this long are closed. Long enough that most clients ask once more
   * before, and are told to close: one that sends just when it is closed has lost its request.
   */
  readonly idleGraceMs: number;
  /** Long a draining edge lives at most. */
  readonly drainMs: number;
  /** The same when everything stops and nobody takes over. */
  readonly shutdownMs: number;
  /** A young instance's slowness is no evidence. */
  readonly youngMs: number;
  readonly client: {
    readonly headersTimeoutMs: number;
    /** For a whole request, its body included. */
    readonly requestTimeoutMs: number;
    readonly keepAliveMs: number;
    /** Without a byte taken or sent while it is the client's turn. */
    readonly stallMs: number;
    readonly maxHeaderBytes: number;
  };
  /** A reply that began and then says nothing for so long is broken (event streams excepted). */
  readonly upstreamIdleMs: number;
  /** Proxies before this edge, whose `X-Forwarded-*` is believed: addresses or CIDR. */
  readonly trustedProxies: readonly string[];
  /** Certificates are looked at this often, for changes of their files. */
  readonly certificateLookMs: number;
  /** How many processes accept from the same sockets: this one alone, or a lead with followers. */
  readonly workers: number;
  /** A follower that is silent for so long is killed; 0: never. */
  readonly silenceMs: number;
  /** For a follower to do what it is told. One that does not is killed, and its successor begins with all of it. */
  readonly answerMs: number;
}

/**
 * Options from the environment: `EVENKEEL_HOME` says where everything lies, `EVENKEEL_EDGE_DIR` and
 * `EVENKEEL_EDGE_SOCKET` say it for the edge alone. The probe token is made when there is none; it lies in a file that
 * only its owner reads, so that it shows in nobody's process list.
 */
export async function readOptions(env: NodeJS.ProcessEnv): Promise<EdgeOptions> {
  const paths = evenkeelPaths(env);
  const folder = env['EVENKEEL_EDGE_DIR'] ?? paths.edgeDir;
  const own = env['EVENKEEL_EDGE_DIR'] !== undefined;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const workers = edgeWorkers(env);
  return {
    folder,
    logs: own ? join(folder, 'logs') : paths.logs,
    socket: env['EVENKEEL_EDGE_SOCKET'] ?? (own ? join(folder, 'edge.sock') : paths.edgeSocket),
    probeToken: await readOrCreateToken(own ? join(folder, 'probe-token') : paths.probeToken),
    hold: {
      requests: numberFrom(env, 'EVENKEEL_EDGE_HOLD_REQUESTS', 500),
      ms: numberFrom(env, 'EVENKEEL_EDGE_HOLD_MS', 10_000),
    },
    idleGraceMs: numberFrom(env, 'EVENKEEL_EDGE_IDLE_GRACE_MS', 10_000),
    drainMs: numberFrom(env, 'EVENKEEL_EDGE_DRAIN_MS', 30_000),
    shutdownMs: numberFrom(env, 'EVENKEEL_EDGE_SHUTDOWN_MS', 5_000),
    youngMs: numberFrom(env, 'EVENKEEL_EDGE_YOUNG_MS', 30_000),
    client: {
      headersTimeoutMs: numberFrom(env, 'EVENKEEL_EDGE_HEADERS_TIMEOUT_MS', 15_000),
      requestTimeoutMs: numberFrom(env, 'EVENKEEL_EDGE_REQUEST_TIMEOUT_MS', 600_000),
      keepAliveMs: numberFrom(env, 'EVENKEEL_EDGE_KEEP_ALIVE_MS', 75_000),
      stallMs: numberFrom(env, 'EVENKEEL_EDGE_STALL_MS', 60_000),
      maxHeaderBytes: 32 * 1024,
    },
    upstreamIdleMs: numberFrom(env, 'EVENKEEL_EDGE_UPSTREAM_IDLE_MS', 120_000),
    trustedProxies: (env['EVENKEEL_EDGE_TRUSTED_PROXIES'] ?? '').split(',').flatMap((entry) => entry.trim() || []),
    certificateLookMs: Math.max(50, numberFrom(env, 'EVENKEEL_EDGE_CERTIFICATE_LOOK_MS', 5_000)),
    // The keeper refuses what is no number; traffic is served all the same.
    workers: workers.ok ? workers.count : 1,
    silenceMs: numberFrom(env, 'EVENKEEL_EDGE_SILENCE_MS', 10_000),
    answerMs: Math.max(50, numberFrom(env, 'EVENKEEL_EDGE_ANSWER_MS', 2_500)),
  };
}

function numberFrom(env: NodeJS.ProcessEnv, name: string, fallback: number): number {
  const value = Number(env[name] ?? Number.NaN);
  return Number.isFinite(value) && value >= 0 ? value : fallback;
}
