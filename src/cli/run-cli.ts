import { EvenkeelError } from '../ports/errors.ts';
import { suggest } from '../lib/suggest.ts';
import { createContext } from './context.ts';
import type { CliDeps, ExitCode } from './deps.ts';
import { INTERRUPTED, Interrupted, watchInterrupts } from './interrupt.ts';
import { createOutput, wantsColor } from './output.ts';
import { VERBS } from './registry.ts';
import { showError } from './show-error.ts';

/** Global options that take the next word as their value. */
const WITH_VALUE = new Set(['-e', '--env', '--project']);

/**
 * Runs one command: `argv` is what follows the program's name. Never throws; errors are shown and become the exit code:
 * 0 done; 1 usage, configuration or prerequisite, nothing changed; 2 failed or taken back; 3 a person must decide;
 * 130 left by Ctrl-C.
 */
export async function runCli(argv: readonly string[], deps: CliDeps): Promise<ExitCode> {
  // Before anything is parsed, so that an error in parsing is shown as it should be.
  const asked = { json: argv.includes('--json'), color: wantsColor(deps.env, argv.includes('--no-color')) };
  try {
    return await run(argv, deps);
  } catch (error) {
    if (error instanceof Interrupted) {
      if (asked.json) deps.stdout.write(`${JSON.stringify({ interrupted: true })}\n`);
      else deps.stderr.write('\nInterrupted; nothing was begun.\n');
      return INTERRUPTED;
    }
    return showError(error, deps, asked);
  }
}

async function run(argv: readonly string[], deps: CliDeps): Promise<ExitCode> {
  const { verb, index } = findVerb(argv);
  if (verb === null || verb === 'help')
    return withoutVerb(
      argv,
      verb === null ? null : (argv.slice(index + 1).find((word) => !word.startsWith('-')) ?? null),
      deps,
    );
  const load = VERBS.get(verb);
  if (load === undefined) throw unknownVerb(verb);
  const { parse } = await import('./program.ts');
  const parsed = parse(await load(), argv, deps.stdout);
  if (parsed === null) return 0;
  const { spec, globals, input } = parsed;
  const out = createOutput(deps, { json: globals.json, color: wantsColor(deps.env, !globals.color) });
  const interrupt = watchInterrupts(deps);
  try {
    return (await spec.run?.(createContext(deps, globals, out, interrupt), input)) ?? 0;
  } finally {
    interrupt.stop();
  }
}

function findVerb(argv: readonly string[]): { verb: string | null; index: number } {
  for (let index = 0; index < argv.length; index++) {
    const word = argv[index] ?? '';
    if (WITH_VALUE.has(word)) index++;
    else if (!word.startsWith('-')) return { verb: word, index };
  }
  return { verb: null, index: -1 };
}

async function withoutVerb(argv: readonly string[], about: string | null, deps: CliDeps): Promise<ExitCode> {
  if (about !== null) {
    const load = VERBS.get(about);
    if (load === undefined) throw unknownVerb(about);
    const { parse } = await import('./program.ts');
    parse(await load(), [about, '--help'], deps.stdout);
    return 0;
  }
  if (argv.includes('--version') || argv.includes('-V')) {
    deps.stdout.write(`${deps.version}\n`);
    return 0;
  }
  const unknown = argv.find(
    (word, at) => word.startsWith('-') && !OVERVIEW_OPTIONS.has(word) && !WITH_VALUE.has(argv[at - 1] ?? ''),
  );
  if (unknown !== undefined)
    throw new EvenkeelError({ code: 'usage', what: `unknown option '${unknown}'`, next: 'evenkeel --help' });
  const { overview } = await import('./overview.ts');
  const out = createOutput(deps, { json: false, color: wantsColor(deps.env, argv.includes('--no-color')) });
  out.line(...(await overview(out.style, deps.version)));
  return 0;
}

const OVERVIEW_OPTIONS = new Set(['-h', '--help', '--json', '--no-color', '-y', '--yes', ...WITH_VALUE]);

function unknownVerb(verb: string): EvenkeelError {
  const meant = suggest(verb, VERBS.keys());
  return new EvenkeelError({
    code: 'usage',
    what: `there is no command '${verb}'`,
    next: meant === null ? 'evenkeel --help' : `did you mean \`evenkeel ${meant}\`?`,
  });
}
