import { Argument, Command, CommanderError, Option } from 'commander';
import { EvenkeelError } from '../ports/errors.ts';
import type { CommandSpec, Input } from './command.ts';
import type { Globals } from './context.ts';
import type { OutputStream } from './deps.ts';

export interface Parsed {
  spec: CommandSpec;
  globals: Globals;
  input: Input;
}

/** They may stand before the verb and behind it. */
const GLOBAL_OPTIONS: readonly [string, string][] = [
  ['-e, --env <name>', 'environment; default: EVENKEEL_ENV, else development'],
  ['--project <name>', 'project; default: the one of evenkeel.yaml here or above'],
  ['--json', 'print JSON: one document, or one line per event when following'],
  ['-y, --yes', 'do not ask for confirmation'],
  ['--no-color', 'no colours; NO_COLOR does the same'],
];

const HELP_HEADINGS = { globals: 'Options of every command:' };

/** Builds the parser of one command and parses; null when only help was asked for, which is then printed. */
export function parse(spec: CommandSpec, argv: readonly string[], stdout: OutputStream): Parsed | null {
  let parsed: Parsed | null = null;
  const program = new Command('evenkeel').enablePositionalOptions(false).helpCommand(false);
  const settle = (chosen: CommandSpec, command: Command): void => {
    parsed = { spec: chosen, globals: globalsOf(command), input: inputOf(command) };
  };
  addGlobals(program);
  quiet(program, stdout);
  program.addCommand(build(spec, settle, stdout));
  try {
    program.parse(argv, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return null;
      throw usageError(error, spec);
    }
    throw error;
  }
  return parsed;
}

function build(
  spec: CommandSpec,
  settle: (spec: CommandSpec, command: Command) => void,
  stdout: OutputStream,
): Command {
  const command = new Command(spec.name).summary(spec.summary).description(spec.description ?? sentence(spec.summary));
  quiet(command, stdout);
  command.helpCommand(false).allowExcessArguments(false);
  // Among the options of every command; alone it would stand below them as a group of its own.
  command.addHelpOption(new Option('-h, --help', 'show this').helpGroup(HELP_HEADINGS.globals));
  for (const { usage, description } of spec.arguments ?? []) command.addArgument(new Argument(usage, description));
  for (const { flags, description, choices } of spec.options ?? []) {
    const option = new Option(flags, description);
    command.addOption(choices === undefined ? option : option.choices([...choices]));
  }
  for (const sub of spec.subcommands ?? []) command.addCommand(build(sub, settle, stdout));
  addGlobals(command);
  const { examples = [] } = spec;
  if (examples.length > 0) command.addHelpText('after', () => `\nExamples:\n${exampleLines(examples).join('\n')}`);
  // Without an action commander shows the help of a verb that wants a second word, and exits with 1.
  if (spec.run !== undefined) command.action(() => settle(spec, command));
  return command;
}

function addGlobals(command: Command): void {
  for (const [flags, description] of GLOBAL_OPTIONS) {
    command.addOption(new Option(flags, description).helpGroup(HELP_HEADINGS.globals));
  }
}

function quiet(command: Command, stdout: OutputStream): void {
  command
    .exitOverride()
    .showSuggestionAfterError(true)
    .configureOutput({
      writeOut: (text) => void stdout.write(text),
      writeErr: () => {},
      getOutHelpWidth: () => stdout.columns ?? 100,
    });
}

const sentence = (summary: string): string => `${summary.slice(0, 1).toUpperCase()}${summary.slice(1)}.`;

export function exampleLines(examples: NonNullable<CommandSpec['examples']>): string[] {
  const width = Math.max(...examples.map(({ command }) => command.length));
  return examples.map(({ command, means }) => `  ${command.padEnd(width)}  ${means}`);
}

function globalsOf(command: Command): Globals {
  // The innermost one that was given counts.
  const chain: Record<string, unknown>[] = [];
  for (let each: Command | null = command; each !== null; each = each.parent) chain.push(each.opts());
  const text = (name: string): string | null => {
    const value = chain.find((options) => typeof options[name] === 'string')?.[name];
    return typeof value === 'string' && value !== '' ? value : null;
  };
  const any = (name: string, value: boolean): boolean => chain.some((options) => options[name] === value);
  return {
    environment: text('env'),
    project: text('project'),
    json: any('json', true),
    yes: any('yes', true),
    color: !any('color', false),
  };
}

function inputOf(command: Command): Input {
  // A verb that has an option in common with its second words takes it, wherever it stands.
  const options: Record<string, unknown> = { ...command.parent?.opts(), ...command.opts() };
  const given = new Map<string, unknown>(
    command.registeredArguments.map((argument, index): [string, unknown] => [
      argument.name(),
      command.processedArgs[index],
    ]),
  );
  const value = (name: string): unknown => given.get(name) ?? options[name];
  return {
    text(name) {
      const found = value(name);
      return typeof found === 'string' ? found : null;
    },
    list(name) {
      const found = value(name);
      return Array.isArray(found) ? found.map(String) : typeof found === 'string' ? [found] : [];
    },
    flag: (name) => value(name) === true,
  };
}

function usageError(error: CommanderError, { name, subcommands = [] }: CommandSpec): EvenkeelError {
  const [what = '', hint] = error.message.replace(/^error: /, '').split('\n');
  const meant = /Did you mean (?:one of )?(.+)\?/.exec(hint ?? '')?.[1];
  // "(outputHelp)" is what commander says after it showed the help instead of an answer.
  const words = subcommands.map((each) => each.name).join(', ');
  const said = error.code === 'commander.help' ? `\`${name}\` wants a second word: ${words}` : what;
  // What was typed behind a secret's name is its value, which is shown nowhere.
  if (name === 'secrets' && error.code === 'commander.excessArguments')
    return new EvenkeelError({
      code: 'usage',
      what: 'a value is not written on the command line, where others can see it',
      next: '`evenkeel secrets set NAME` asks for it, or reads it from the standard input',
    });
  return new EvenkeelError({
    code: 'usage',
    what: said,
    next:
      meant === undefined ? `evenkeel ${name} --help` : `did you mean ${meant}? \`evenkeel ${name} --help\` shows all`,
  });
}
