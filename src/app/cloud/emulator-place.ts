import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isIdentity } from '../../platform/is-identity.ts';
import { isAlive, type ProcessIdentity } from '../../platform/process/identity.ts';
import type { EvenkeelPaths } from '../../platform/paths.ts';
import { metricsPace } from './metrics-pace.ts';

/** Where the emulator that `--emulate` starts keeps what it knows, and who it is. */
export interface EmulatorPlace {
  /** Made for its owner alone. */
  folder: string;
  /** What was made in the emulated cloud. */
  state: string;
  /** Who it is and where it listens, JSON. */
  info: string;
}

export interface EmulatorInfo {
  url: string;
  token: string;
  process: ProcessIdentity;
}

export function emulatorPlace({ home }: Pick<EvenkeelPaths, 'home'>): EmulatorPlace {
  const folder = join(home, 'emulator');
  return { folder, state: join(folder, 'state'), info: join(folder, 'emulator.json') };
}

/** The one that runs; null when none does. */
export async function runningEmulator(place: EmulatorPlace): Promise<EmulatorInfo | null> {
  const text = await readFile(place.info, 'utf8').catch(() => null);
  if (text === null) return null;
  const info = parse(text);
  return info !== null && isAlive(info.process) ? info : null;
}

function parse(text: string): EmulatorInfo | null {
  try {
    const value = JSON.parse(text) as Partial<EmulatorInfo> | null;
    if (value === null || typeof value.url !== 'string' || typeof value.token !== 'string') return null;
    return isIdentity(value.process) ? { url: value.url, token: value.token, process: value.process } : null;
  } catch {
    return null; // half written, by one that died then
  }
}

export const forgetEmulator = (place: EmulatorPlace): Promise<void> =>
  rm(place.state, { recursive: true, force: true, maxRetries: 5 });

/** `EVENKEEL_EMULATOR_POSTGRES`: the address of a Postgres server in which its databases are really made. */
export const emulatorPostgres = (env: NodeJS.ProcessEnv): string | null =>
  (env['EVENKEEL_EMULATOR_POSTGRES'] ?? '') === '' ? null : (env['EVENKEEL_EMULATOR_POSTGRES'] ?? null);

export interface EmulatorPace {
  speed?: number;
  run?: { metricsStepMs: number; metricsDelayMs: number };
}

/**
 * How patient it is; what is not said, it has as usual. `EVENKEEL_EMULATOR_SPEED`: how many times faster than the real
 * cloud. Of the lateness of metrics that a server believes in, half is the emulator's own, so that none comes later.
 */
export function emulatorPace(env: NodeJS.ProcessEnv): EmulatorPace {
  const speed = Number(env['EVENKEEL_EMULATOR_SPEED'] ?? '');
  const metrics = metricsPace(env);
  return {
    ...(Number.isFinite(speed) && speed > 0 ? { speed } : {}),
    ...(metrics === null ? {} : { run: { metricsStepMs: metrics.periodMs, metricsDelayMs: metrics.lateMs / 2 } }),
  };
}
