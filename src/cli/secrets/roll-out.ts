import type { Scope } from '../../api/contract/common.ts';
import type { SecretsSet } from '../../api/contract/secrets.ts';
import { plural } from '../../lib/format.ts';
import type { Input, OptionSpec } from '../command.ts';
import type { Context } from '../context.ts';
import type { ExitCode } from '../deps.ts';
import { Interrupted } from '../interrupt.ts';
import { readLine } from '../prompt.ts';
import { followBegun, WAIT_OPTION, waitOf } from '../ship.ts';

/** What happens after secrets were set: services that run have the former value until a rollout brings the new one. */

export const ROLLOUT_OPTIONS: OptionSpec[] = [
  { flags: '--rollout', description: 'let the services that run with a former value have the new one, at once' },
  { flags: '--later', description: 'do not ask; what runs keeps what it has until the next rollout' },
  WAIT_OPTION,
];

/** Stores values, says which by name, and rolls them out when that is wanted. */
export async function storeAndRollOut(
  context: Context,
  input: Input,
  values: ReadonlyMap<string, string>,
): Promise<ExitCode> {
  const { out } = context;
  const scope = await context.scope();
  const client = await context.startedClient();
  const reply = await client.setSecrets({ ...scope, secrets: Object.fromEntries(values) });
  say(context, scope, reply);
  const { changed, unchanged, behind } = reply;
  const rollout = behind.length > 0 && (await wanted(context, input, behind));
  out.data({ type: 'secrets', changed, unchanged, behind, rollout });
  if (!rollout) {
    if (behind.length > 0)
      out.prose(
        `  ${list(behind)} ${behind.length === 1 ? 'runs' : 'run'} with the former value until it is rolled out: evenkeel restart ${behind.join(' ')}${envFlag(scope)}`,
        2,
      );
    return 0;
  }
  const begun = await client.restart({ ...scope, services: behind });
  return followBegun(context, client, begun, waitOf(input), scope);
}

function say({ out }: Context, { environment }: Scope, { changed, unchanged }: SecretsSet): void {
  const { style } = out;
  if (changed.length > 0)
    out.line(
      `${style.green(style.symbols.done)} ${changed.join(', ')} ${changed.length === 1 ? 'is' : 'are'} set in ${environment}.`,
    );
  if (unchanged.length > 0)
    out.line(
      `${style.green(style.symbols.done)} ${unchanged.join(', ')}: ${unchanged.length === 1 ? 'the value' : 'the values'} already, nothing changed.`,
    );
}

/** Asks where somebody can answer. `--yes` is no answer here: it must not begin a rollout that nobody spoke of. */
async function wanted(context: Context, input: Input, behind: string[]): Promise<boolean> {
  const { deps, out, globals, interrupt } = context;
  if (input.flag('rollout')) return true;
  if (input.flag('later')) return false;
  if (deps.stdin.isTTY !== true || deps.stderr.isTTY !== true || globals.json || !out.terminal) return false;
  deps.stderr.write(
    `${plural(behind.length, 'service')} (${list(behind)}) ${behind.length === 1 ? 'runs' : 'run'} with the former value. Roll the new one out now, without an interruption? [Y/n] `,
  );
  const answer = await readLine(deps, interrupt);
  if (answer === null) throw new Interrupted();
  return !/^n/i.test(answer.trim());
}

const list = (names: readonly string[]): string => names.join(', ');

const envFlag = ({ environment }: Scope): string => (environment === 'development' ? '' : ` --env ${environment}`);
