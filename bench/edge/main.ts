/** Runs the bench of the edge alone: `node bench/edge/main.ts [--quick] [--json]`. */
import { benchEdge } from './bench.ts';

const rows = await benchEdge({ quick: process.argv.includes('--quick') });
if (process.argv.includes('--json')) process.stdout.write(`${JSON.stringify(rows)}\n`);
else {
  for (const { what, budget, measured, met, figures } of rows) {
    process.stdout.write(`${met === null ? '-' : met ? 'ok' : 'MISS'}  ${what}: ${measured} (budget ${budget})\n`);
    process.stdout.write(
      `      ${Object.entries(figures)
        .map(([name, value]) => `${name} ${value}`)
        .join(', ')}\n`,
    );
  }
}
