import { suggest } from '../../lib/suggest.ts';
import { EvenkeelError } from '../../ports/errors.ts';
import type { CommandSpec, Input } from '../command.ts';
import type { Context } from '../context.ts';
import { loadHere } from '../project.ts';
import { devPrinter } from '../show-dev.ts';

export const dev: CommandSpec = {
  name: 'dev',
  summary: 'run the services here, from the code as it lies there, until Ctrl-C',
  description:
    'Runs the `dev` command of each service, or its `run`, in the folder of the project: nothing is built, copied or migrated, and no evenkeel server is needed. All routes answer at the one address of the environment, on this machine. A service without a `dev` command starts anew when its files change. Ctrl-C ends all of them; a second one at once.',
  arguments: [{ usage: '[services...]', description: 'which; default: all' }],
  options: [{ flags: '--port <port>', description: 'of the one address; default: that of the environment' }],
  examples: [
    { command: 'evenkeel dev', means: 'the whole system' },
    { command: 'evenkeel dev api web', means: 'two of its services' },
    { command: 'evenkeel dev --port 8081', means: 'beside what `evenkeel up` started' },
    { command: 'evenkeel dev --json', means: 'for programs, one line of JSON for each event' },
  ],
  run,
};

async function run(context: Context, input: Input): Promise<0> {
  const { deps, out, interrupt } = context;
  const services = input.list('services');
  const port = portOf(input.text('port'));
  const { project, dev: commands } = await loadHere(context);
  const names = project.services.map(({ name }) => name);
  for (const name of services) if (!names.includes(name)) throw unknownService(name, names);
  const print = devPrinter(out, services.length === 0 ? names : names.filter((name) => services.includes(name)));
  await deps.runDev({
    project,
    dev: commands,
    services,
    port,
    color: out.style.color,
    signal: interrupt.signal,
    onQuit: (stop) => interrupt.onQuit(stop),
    onEvent(event) {
      if (out.json) out.data({ at: deps.now(), ...event });
      else out.line(print(event));
    },
  });
  return 0;
}

function portOf(text: string | null): number | null {
  if (text === null) return null;
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port > 0 && port < 65_536) return port;
  throw new EvenkeelError({
    code: 'usage',
    what: `--port wants a number from 1 to 65535, not ${text}`,
    next: 'evenkeel dev --help',
  });
}

function unknownService(name: string, names: readonly string[]): EvenkeelError {
  const meant = suggest(name, names);
  return new EvenkeelError({
    code: 'unknown-service',
    what: `there is no service ${name}`,
    where: 'evenkeel.yaml',
    next: meant === null ? `one of ${names.join(', ')}` : `did you mean \`evenkeel dev ${meant}\`?`,
  });
}
