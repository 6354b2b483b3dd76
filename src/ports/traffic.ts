import type { ApplyCommand, ApplyReply, EdgeState } from '../domain/traffic/protocol.ts';
import type { EdgeStats } from '../domain/traffic/stats.ts';

export interface Asked {
  project: string;
  environment: string;
}

/** Steers traffic and reports on it. Errors are EvenkeelErrors; `edge-unreachable` is retryable. */
export interface Traffic {
  /** Atomic and idempotent. A refusal (an old fence, a taken route or port) is an answer, not an error. */
  apply(command: ApplyCommand): Promise<ApplyReply>;
  /** With `asked` only what that environment needs to know has to be in it; without, everything. */
  state(asked?: Asked): Promise<EdgeState>;
  /** Counters since the epoch began, and the evidence of every split. With `asked`, as for `state`. */
  stats(asked?: Asked): Promise<EdgeStats>;
  /** One request as a client would send it, which no statistic counts; says which release answered. */
  probe(request: ProbeRequest): Promise<ProbeReply>;
}

export interface ProbeRequest {
  /** The address to connect to; null: 127.0.0.1. */
  address: string | null;
  port: number;
  /** The Host header, or null for the address itself. */
  host: string | null;
  method: string;
  path: string;
  timeoutMs: number;
  /** Whose address that is; `release`: of the preview of this one. For a driver that knows services, and no ports. */
  of?: Asked & { service: string; release: string | null };
}

export interface ProbeReply {
  status: number;
  /** The release that answered, or null when none did (the edge's own reply). */
  release: string | null;
  /** At most the first 64 KiB. */
  body: string;
  /** Of an answer that is no release's: what was asked and answered, in words. */
  detail?: string;
}
