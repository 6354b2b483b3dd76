/** The `evenkeel` command: the CLI, wired to the world. */
import { readFileSync } from 'node:fs';
import { enableCompileCache } from 'node:module';

enableCompileCache();

const { cliDeps } = await import('./app/cli-deps.ts');
const { runCli } = await import('./cli/run-cli.ts');
const { INTERRUPTED } = await import('./cli/interrupt.ts');

// Who reads has seen enough (`evenkeel logs | head`). A rollout that is followed goes on without us.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 141 : 2));

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};
const code = await runCli(process.argv.slice(2), cliDeps(version));
// After Ctrl-C an open input or a request under way is of no interest to anybody; it must not hold the terminal.
if (code === INTERRUPTED) process.exit(code);
process.exitCode = code;
