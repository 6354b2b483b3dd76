import { EvenkeelError } from '../../ports/errors.ts';
import type { Input } from '../command.ts';
import type { Context } from '../context.ts';
import { readValue } from '../secrets/values.ts';
import { openDesk } from './open-desk.ts';

/** The value travels from the keyboard or a file to the cloud, and is written nowhere on the way. */
export async function secret(context: Context, input: Input): Promise<void> {
  const { out, interrupt } = context;
  const name = input.text('name') ?? '';
  if (name.includes('='))
    throw new EvenkeelError({
      code: 'usage',
      what: 'a value is not written on the command line, where others can see it',
      next: `evenkeel cloud secret ${name.slice(0, name.indexOf('='))}`,
    });
  const desk = await openDesk(context, input);
  const value = await readValue(context, name, input.text('fromFile'), 'evenkeel cloud secret');
  const taken = await desk.setSecret(name, value, interrupt.signal);
  const done = out.style.green(out.style.symbols.done);
  if (taken === 'secret') out.line(`${done} ${name} has a new value; services take it with their next deploy.`);
  else {
    out.prose(
      `${done} ${name} has a new value, and the database takes no other. Services have the former one until`,
      2,
    );
    out.line(`  ${out.style.bold(desk.hint('evenkeel deploy'))}`);
  }
  out.data({ name, set: true });
}
