import type { CloudResult } from '../../api/contract/cloud/run.ts';
import { formatDuration, plural } from '../../lib/format.ts';
import type { ExitCode } from '../deps.ts';
import type { Output } from '../output.ts';
import { printable } from '../screen/text.ts';
import { wordsOf } from './words.ts';

/** What came of it, all failures together, and what to type next. Returns the exit code. */
export function showResult(result: CloudResult, out: Output, what: { nothing: string; again: string }): ExitCode {
  out.data(result);
  if (out.json) return result.exit;
  const { style } = out;
  const { done, failed, skipped, left, waiting } = result;
  out.line('');
  if (failed.length > 0) {
    out.line(style.red(`${plural(failed.length, 'operation')} failed:`));
    for (const { address, act, problem } of failed) {
      out.prose(
        `  ${style.red(style.symbols.failed)} ${wordsOf({ act, address }).plain} ${address}: ${printable(problem.message)} ${style.dim(`(${problem.code})`)}`,
        4,
      );
      if (problem.next !== null) out.line(...problem.next.split('\n').map((line) => `      ${style.bold(line)}`));
    }
    if (skipped.length > 0)
      out.prose(`Not begun, since they need what failed: ${skipped.map(({ address }) => address).join(', ')}.`, 2);
  }
  if (result.outcome === 'interrupted') {
    out.prose(
      `${style.yellow('Interrupted.')} ${plural(done.length, 'operation')} done${left.length === 0 ? '' : `; ${left.map(({ address }) => address).join(', ')} ${left.length === 1 ? 'was' : 'were'} under way, and the provider may finish by itself`}${waiting.length === 0 ? '' : `; ${waiting.length} not begun`}.`,
      2,
    );
    out.line(`  ${style.bold(what.again)}${style.dim('  goes on from here')}`);
  } else if (result.outcome === 'nothing') out.line(`${style.green(style.symbols.done)} ${what.nothing}`);
  else {
    const words = done.map((each) => wordsOf(each).done);
    const counts = [...new Set(words)].map((word) => `${words.filter((each) => each === word).length} ${word}`);
    const mark = result.outcome === 'done' ? style.green(style.symbols.done) : style.red(style.symbols.failed);
    const all = [...counts, ...(failed.length === 0 ? [] : [`${failed.length} failed`])];
    out.line(`${mark} ${all.join(', ')}, in ${formatDuration(result.ms)}.`);
    if (result.outcome === 'failed') out.line(`  ${style.bold(what.again)}${style.dim('  tries what is left again')}`);
  }
  if (result.next.length > 0) {
    out.line('', 'Next:');
    const width = Math.max(...result.next.map(({ command }) => command.length));
    for (const { command, means } of result.next)
      out.line(`  ${style.bold(command.padEnd(width))}  ${style.dim(means)}`);
  }
  return result.exit;
}
