import type { Input } from '../command.ts';
import type { Context } from '../context.ts';
import { interruptible } from '../interrupt.ts';
import { loadForShipping } from '../project.ts';
import type { CloudDesk } from './desk.ts';
import { hintedDesk } from './hinted-desk.ts';
import { type Hint, hintsOf } from './hints.ts';

/** The cloud of this environment, real or emulated. Throws `no-cloud` and what is wrong with the file. */
export async function openDesk(context: Context, input: Input): Promise<CloudDesk & { hint: Hint }> {
  const { deps, out, interrupt } = context;
  const project = await loadForShipping(context);
  const emulate = input.flag('emulate');
  const desk = await interruptible(interrupt.signal, deps.openCloud({ project, emulate, signal: interrupt.signal }));
  if (desk.emulator !== null && !out.json)
    out.prose(out.style.dim(`Emulated on this machine (${desk.emulator}); nothing leaves it and nothing is paid.`), 2);
  const hint = hintsOf(context, input);
  return { ...hintedDesk(desk, hint), hint };
}
