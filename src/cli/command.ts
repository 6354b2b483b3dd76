import type { Context } from './context.ts';
import type { ExitCode } from './deps.ts';

/** What a person typed after the verb. */
export interface Input {
  /** An argument or the value of an option; null when it was not given. */
  text(name: string): string | null;
  /** The values of an argument that may be given several times. */
  list(name: string): string[];
  flag(name: string): boolean;
}

export interface ArgumentSpec {
  /** As commander writes them: `[services...]`, `<name>`. */
  usage: string;
  description: string;
}

export interface OptionSpec {
  /** As commander writes them: `--version <label>`, `-f, --follow`. */
  flags: string;
  description: string;
  choices?: readonly string[];
}

export interface Example {
  command: string;
  means: string;
}

/** A command is data; `program.ts` makes a parser of it. */
export interface CommandSpec {
  name: string;
  /** One line, for the list of all commands. */
  summary: string;
  /** More, for its own help. */
  description?: string;
  arguments?: readonly ArgumentSpec[];
  options?: readonly OptionSpec[];
  examples?: readonly Example[];
  /** Named as its own word after the verb. With `run` besides, that is what the verb alone does. */
  subcommands?: readonly CommandSpec[];
  /** Without a value: done. Throws EvenkeelErrors. */
  run?: (context: Context, input: Input) => Promise<ExitCode | void>;
}
