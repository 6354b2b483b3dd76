/**
 * npm run demo [-- --cloud] [-- --json] [-- --keep]
 *
 * What evenkeel does, in about a minute, on examples/chat on this machine, or with `--cloud` on examples/digitwin on an
 * emulated Google Cloud. `--json` ends with the figures as one line, `--keep` leaves everything running. Exit code 0 when
 * everything was as promised.
 */
import { parseArgs } from 'node:util';

const { cloud } = flagsOf(process.argv.slice(2));
await (cloud ? import('./cloud.ts') : import('./chat.ts'));

function flagsOf(args: string[]): { cloud: boolean } {
  const option = { type: 'boolean', default: false } as const;
  try {
    return parseArgs({ args, options: { cloud: option, json: option, keep: option } }).values;
  } catch (error) {
    console.error(`demo: ${error instanceof Error ? error.message : String(error)}`);
    console.error('npm run demo [-- --cloud] [-- --json] [-- --keep]');
    process.exit(1);
  }
}
