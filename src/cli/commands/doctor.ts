import type { Finding } from '../../api/contract/doctor.ts';
import { loadProject } from '../../config/load-project.ts';
import { plural } from '../../lib/format.ts';
import type { CommandSpec } from '../command.ts';
import type { Context } from '../context.ts';
import type { ExitCode } from '../deps.ts';
import { interruptible } from '../interrupt.ts';
import type { Style } from '../screen/style.ts';

export const doctor: CommandSpec = {
  name: 'doctor',
  summary: 'look for what is wrong with machine, server and state, and say how to mend it',
  description:
    'Checks the machine, versions, ports, permissions, disk, clock, processes, files and databases, and in a project what its services need. Changes nothing. Exits with 1 when there is a problem; warnings alone are 0.',
  options: [{ flags: '--all', description: 'show what is fine, too' }],
  examples: [
    { command: 'evenkeel doctor', means: 'what needs attention' },
    { command: 'evenkeel doctor --json', means: 'every finding, for scripts and monitoring' },
  ],
  run: (context, input) => run(context, input.flag('all')),
};

async function run({ deps, out, interrupt, environment }: Context, all: boolean): Promise<ExitCode> {
  const loaded = await loadProject({ startDir: deps.cwd, environment, processEnv: deps.env });
  const findings = await interruptible(interrupt.signal, deps.examine(loaded.ok ? loaded.project : null));
  const isMissing = !loaded.ok && loaded.problems.some(({ code }) => code === 'no-file');
  if (!loaded.ok && !isMissing)
    findings.push({
      check: 'configuration',
      level: 'problem',
      what: `evenkeel.yaml cannot be used for ${environment}, so what it needs was not looked at`,
      next: 'evenkeel check',
    });
  const of = (level: Finding['level']): Finding[] => findings.filter((each) => each.level === level);
  const [problems, warnings] = [of('problem'), of('warning')];
  out.data({ ok: problems.length === 0, findings });
  for (const each of [...problems, ...warnings, ...(all ? of('ok') : [])]) {
    const { mark, paint } = look(each.level, out.style);
    out.prose(`${paint(mark)} ${paint(each.check)}: ${each.what}`, 2);
    if (each.next !== null) out.line(`    ${out.style.bold(each.next)}`);
  }
  const fine = plural(of('ok').length, 'check is fine', 'checks are fine');
  const rest = [
    problems.length === 0 ? null : plural(problems.length, 'problem'),
    warnings.length === 0 ? null : plural(warnings.length, 'warning'),
  ].filter((each) => each !== null);
  out.line(
    `${rest.length === 0 ? out.style.green(out.style.symbols.done) : ' '} ${[...rest, fine].join(', ')}.`.trimStart(),
  );
  return problems.length === 0 ? 0 : 1;
}

function look(
  level: Finding['level'],
  { red, yellow, green, symbols }: Style,
): { mark: string; paint: (text: string) => string } {
  if (level === 'problem') return { mark: symbols.failed, paint: red };
  return level === 'warning' ? { mark: '!', paint: yellow } : { mark: symbols.done, paint: green };
}
