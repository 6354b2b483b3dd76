import type { Input } from '../command.ts';
import type { Context } from '../context.ts';
import { interruptible } from '../interrupt.ts';
import { confirm } from '../confirm.ts';
import { loadHere, loadForShipping } from '../project.ts';
import { plural } from '../../lib/format.ts';

const FOLDER = 'terraform';

/** Writes what there is as Terraform: of one environment with --env, else of all that have a cloud. */
export async function terraform(context: Context, input: Input): Promise<void> {
  const { deps, out, interrupt, globals } = context;
  const emulate = input.flag('emulate');
  const names = globals.environment === null ? (await loadHere(context)).environments : [globals.environment];
  const projects = [];
  for (const environment of names) {
    const project = await loadForShipping({ ...context, environment });
    if (globals.environment !== null || project.cloud !== undefined) projects.push(project);
  }
  const folder = input.text('out') ?? FOLDER;
  const exported = await interruptible(
    interrupt.signal,
    deps.exportTerraform({ projects, emulate, signal: interrupt.signal }),
  );
  const { written, replaced } = await exported.write(folder, async (paths) => {
    await confirm(context, `Replace ${plural(paths.length, 'file')} in ${folder} that differ: ${paths.join(', ')}?`);
  });
  out.data({ folder, files: written, replaced, notes: exported.notes });
  out.line(`${out.style.green(out.style.symbols.done)} ${plural(written.length, 'file')} in ${folder}.`);
  for (const note of exported.notes) out.prose(`  ${note}`, 2);
  out.line('', 'Next:', `  ${out.style.bold(`cd ${folder} && terraform init && terraform plan`)}`);
}
