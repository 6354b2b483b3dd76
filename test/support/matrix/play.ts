import type { RolloutView } from '../../../src/api/contract/rollouts.ts';
import { SCOPE, type Stage } from '../stage.ts';
import { waitFor } from '../wait.ts';
import type { Play } from './cells.ts';

/** What is left when it is over. */
export interface Ending {
  readonly rollout: string;
  /** The version that answers from then on. */
  readonly serving: string;
}

const BAD = { errorRate: 0.4, canary: [50], step: '10m' };
/** A canary that goes on until somebody says so. */
const LONG = { canary: [50], step: '10m' };
const WINDOW = { short: 1_200, long: 300_000 };

/**
 * Plays one rollout to its end, whoever dies meanwhile.
 *
 * @param begin gives the order to die; called when the next thing to come is what the order is about
 */
export async function play(
  stage: Stage,
  what: Play,
  { version, before }: { version: string; before: string },
  begin: () => void,
): Promise<Ending> {
  switch (what) {
    case 'good': {
      stage.change({ version, canary: [10, 50], rollbackWindow: WINDOW.short });
      begin();
      const rollout = await deploy(stage);
      await ended(stage, rollout, 'complete');
      return { rollout, serving: version };
    }
    case 'bad': {
      stage.change({ version, ...BAD });
      begin();
      const rollout = await deploy(stage);
      await ended(stage, rollout, 'failed');
      return { rollout, serving: before };
    }
    case 'bad-later': {
      stage.change({ version, errorRate: BAD.errorRate, rollbackWindow: WINDOW.long });
      begin();
      const rollout = await deploy(stage);
      await ended(stage, rollout, 'rolled-back');
      return { rollout, serving: before };
    }
    case 'promote': {
      const rollout = await canary(stage, version, WINDOW.short);
      begin();
      await command(stage, ['promote']);
      await ended(stage, rollout, 'complete');
      return { rollout, serving: version };
    }
    case 'abort': {
      const rollout = await canary(stage, version, WINDOW.long);
      begin();
      await command(stage, ['abort']);
      await ended(stage, rollout, 'aborted');
      return { rollout, serving: before };
    }
    case 'rollback': {
      stage.change({ version, rollbackWindow: WINDOW.long });
      // The edge counts tables from here: the one that adds the release, the one that switches, the one that takes back.
      const rollout = await stage.deploy(['api']);
      begin();
      await reached(stage, rollout, 'watching');
      await command(stage, ['rollback', 'api']);
      await ended(stage, rollout, 'rolled-back');
      return { rollout, serving: before };
    }
    case 'hand-over': {
      const rollout = await canary(stage, version, WINDOW.short);
      begin();
      await command(stage, ['server', 'restart-edge']);
      await command(stage, ['promote']);
      await ended(stage, rollout, 'complete');
      return { rollout, serving: version };
    }
  }
}

async function canary(stage: Stage, version: string, rollbackWindow: number): Promise<string> {
  stage.change({ version, ...LONG, rollbackWindow });
  const rollout = await stage.deploy(['api']);
  await stage.system.reach(rollout, ({ phase }) => phase === 'canary', `${version} to be a canary`);
  return rollout;
}

/** Whoever got no answer looks what became of it before asking again, as a person would. */
async function deploy(stage: Stage): Promise<string> {
  const before = await newest(stage);
  try {
    return await stage.deploy(['api']);
  } catch {
    const { now } = await waitFor(async () => ({ now: await newest(stage) }), { what: 'the controller to answer' });
    return now === before || now === null ? await stage.deploy(['api']) : now;
  }
}

async function newest(stage: Stage): Promise<string | null> {
  const path = `/api/v1/rollouts?project=${SCOPE.project}&limit=1`;
  const { rollouts } = await stage.system.get<{ rollouts: RolloutView[] }>(path);
  return rollouts[0]?.id ?? null;
}

/** `waitFor` takes a call that was cut by the death of the controller for "not yet". */
async function reached(stage: Stage, rollout: string, phase: RolloutView['phase']): Promise<void> {
  const look = async (): Promise<boolean> => (await stage.system.rollout(rollout)).phase === phase;
  await waitFor(look, { what: `${rollout} to be ${phase}`, timeout: 60_000, interval: 25 });
}

async function ended(stage: Stage, rollout: string, how: string): Promise<void> {
  const look = async (): Promise<RolloutView | null> => {
    const seen = await stage.system.rollout(rollout);
    return seen.end === null ? null : seen;
  };
  const end = await waitFor(look, { what: `${rollout} to end as ${how}`, timeout: 60_000, interval: 25 });
  if (end.end !== how) throw new Error(`${rollout} ended as ${end.end}, not ${how}: ${end.reason}`);
}

/** Typed once: the command itself asks again when the controller dies with its request. */
async function command(stage: Stage, words: string[]): Promise<void> {
  const args = [...words, '--env', SCOPE.environment];
  const { code, stdout, stderr, ms } = await stage.system.cli(args, { cwd: stage.root });
  if (code !== 0)
    throw new Error(`${words.join(' ')}: exit code ${code} after ${Math.round(ms)} ms: ${stdout}${stderr}`);
}
