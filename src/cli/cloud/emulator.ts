import { EvenkeelError } from '../../ports/errors.ts';
import type { Input } from '../command.ts';
import { confirm } from '../confirm.ts';
import type { Context } from '../context.ts';
import type { ExitCode } from '../deps.ts';

/** Runs one in the foreground until Ctrl-C. */
export async function run({ deps, out, interrupt }: Context, input: Input): Promise<ExitCode> {
  const port = input.text('port');
  if (port !== null && !(/^\d{1,5}$/.test(port) && Number(port) < 65_536))
    throw new EvenkeelError({
      code: 'usage',
      what: `--port wants a port, not ${port}`,
      next: 'evenkeel cloud emulator --help',
    });
  const token = input.text('token');
  await deps.runEmulator({
    port: port === null ? 0 : Number(port),
    token,
    folder: input.text('state'),
    postgres: postgresOf(input.text('postgres')),
    signal: interrupt.signal,
    onListening(place) {
      out.data(place);
      // A token that was typed is known, and belongs into no log.
      out.line(`Google Cloud is emulated on ${place.url}${token === null ? ` with the token ${place.token}` : ''}`);
    },
  });
  return 0;
}

/** Throws `usage`. */
function postgresOf(typed: string | null): string | null {
  if (typed === null) return null;
  const url = URL.canParse(typed) ? new URL(typed) : null;
  if (url === null || !/^postgres(ql)?:$/.test(url.protocol))
    throw new EvenkeelError({
      code: 'usage',
      what: '--postgres wants the address of a server, such as postgres://me@127.0.0.1:5432/postgres',
      next: 'evenkeel cloud emulator --help',
    });
  if (url.password === '') return typed;
  throw new EvenkeelError({
    code: 'usage',
    what: 'a password is not written on the command line, where others can see it',
    next: 'leave it out of --postgres, and set PGPASSWORD',
  });
}

export async function stop({ deps, out }: Context): Promise<void> {
  const stopped = await deps.stopEmulator({ forget: false });
  out.data({ stopped });
  out.line(stopped ? `${out.style.green(out.style.symbols.done)} The emulator has ended.` : 'No emulator runs.');
}

export async function reset(context: Context): Promise<void> {
  const { deps, out } = context;
  await confirm(context, 'Forget everything that was made in the emulated cloud?');
  const stopped = await deps.stopEmulator({ forget: true });
  out.data({ stopped, forgotten: true });
  out.line(`${out.style.green(out.style.symbols.done)} The emulated cloud is empty again.`);
}
