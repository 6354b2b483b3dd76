import type { CloudBuildLine } from '../../api/contract/cloud/build.ts';
import { formatDuration } from '../../lib/format.ts';
import type { Input } from '../command.ts';
import type { Context } from '../context.ts';
import type { ExitCode } from '../deps.ts';
import { printable } from '../screen/text.ts';
import { openDesk } from './open-desk.ts';

/** Builds images where they are needed, and shows what the builds write. */
export async function build(context: Context, input: Input): Promise<ExitCode> {
  const { out, interrupt } = context;
  const { style } = out;
  const desk = await openDesk(context, input);
  const services = input.list('services');
  const onEvent = (event: CloudBuildLine): void => {
    out.data(event);
    const text = printable(event.text);
    out.line(event.type === 'line' ? `${event.service} | ${text}` : style.dim(`${event.service}: ${text}`));
  };
  const result = await desk.build({ services, onEvent, onWarning: (text) => out.remark(text) }, interrupt.signal);
  out.data(result);
  out.line('');
  for (const { service, image, digest } of result.built)
    out.line(
      `${style.green(style.symbols.done)} ${service}  ${image}${digest === null ? '' : style.dim(`  ${digest}`)}`,
    );
  for (const { service, problem } of result.failed) {
    out.line(`${style.red(style.symbols.failed)} ${service}  ${style.dim(`(${problem.code})`)}`);
    out.line(...problem.message.split('\n').map((line) => `    ${printable(line)}`));
    if (problem.next !== null) out.line(`    ${style.bold(problem.next)}`);
  }
  out.line(`Took ${formatDuration(result.ms)}. Nothing was deployed.`);
  return result.exit;
}
