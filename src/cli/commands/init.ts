import { EvenkeelError } from '../../ports/errors.ts';
import type { CommandSpec } from '../command.ts';

export const init: CommandSpec = {
  name: 'init',
  summary: 'write evenkeel.yaml from what the project says about itself',
  description:
    'Reads package.json and its workspaces, a Procfile, a Dockerfile and a compose file in this folder, writes a commented evenkeel.yaml, and says what it could not carry over.',
  options: [
    { flags: '--print', description: 'print the file instead of writing it' },
    { flags: '--force', description: 'replace a file that is there' },
  ],
  examples: [
    { command: 'evenkeel init', means: 'write the file' },
    { command: 'evenkeel init --print', means: 'look first' },
  ],
  async run({ deps, out }, input) {
    if (input.flag('print')) {
      const { draftProject } = await import('../../config/init/draft-project.ts');
      const draft = await draftProject(deps.cwd);
      out.line(draft.yaml.trimEnd());
      for (const note of out.json ? [] : draft.notes) out.remark(`# ${note}`);
      out.data(draft);
      return;
    }
    const { writeDraft } = await import('../../config/init/write-draft.ts');
    const written = await writeDraft(deps.cwd, { force: input.flag('force') });
    if (!written.ok) {
      const { code, message, hint, path } = written;
      throw new EvenkeelError({
        code: code === 'exists' ? 'file-exists' : 'file-unwritable',
        what: message,
        where: path,
        next: hint,
      });
    }
    const { path, draft } = written;
    const { style } = out;
    const from =
      draft.sources.length === 0 ? 'nothing to go by, so it is a skeleton' : `from ${draft.sources.join(', ')}`;
    out.prose(`${style.green(style.symbols.done)} Wrote ${path} (${from}).`, 2);
    if (draft.notes.length > 0) out.line('', 'Please look at:');
    for (const note of draft.notes) out.prose(`  ${style.yellow(style.symbols.dot)} ${note}`, 4);
    out.line('', `  evenkeel check  see whether it holds together`, `  evenkeel up     start it`);
    out.data({ path, notes: draft.notes, sources: draft.sources });
  },
};
