import type { CommandSpec, Input } from '../command.ts';
import type { Context } from '../context.ts';

const SERVICES = [{ usage: '[services...]', description: 'which; default: everything that has routes' }];

export const maintenance: CommandSpec = {
  name: 'maintenance',
  summary: 'close services to visitors for a while, and open them again',
  description:
    'Whoever comes meanwhile gets 503 and a page (`maintenance.page` in evenkeel.yaml), except for the addresses of `maintenance.allow`. It holds through deploys, rollbacks and restarts until it is taken back. Connections that are open already stay, and services go on asking each other.',
  examples: [
    { command: 'evenkeel maintenance on --env production', means: 'close everything' },
    { command: 'evenkeel maintenance on shop', means: 'close one service' },
    { command: 'evenkeel maintenance off', means: 'open again' },
  ],
  subcommands: [
    { name: 'on', summary: 'close', arguments: SERVICES, run: (context, input) => set(context, input, true) },
    { name: 'off', summary: 'open again', arguments: SERVICES, run: (context, input) => set(context, input, false) },
  ],
};

async function set(context: Context, input: Input, on: boolean): Promise<void> {
  const { out } = context;
  const scope = await context.scope();
  const client = await context.client();
  const services = input.list('services');
  const reply = await client.setMaintenance({
    ...scope,
    on,
    services: services.length === 0 ? null : services,
  });
  out.data(reply);
  const closed = reply.services.join(', ');
  const where = `${scope.project} ${scope.environment}`;
  const done = out.style.green(out.style.symbols.done);
  if (closed === '') out.line(`${done} Everything of ${where} is open.`);
  else out.line(`${done} Closed for maintenance in ${where}: ${closed}.`, '  evenkeel maintenance off  opens again');
}
