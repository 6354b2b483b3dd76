import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runCommand } from '../../src/platform/process/spawn.ts';
import { unitFile } from '../../src/platform/systemd-unit.ts';
import { tempDir } from '../support/temp.ts';

/** What systemd itself thinks of a unit; it remarks on what it does not understand, and goes on. */
async function remarks(unit: string): Promise<string> {
  const file = join(tempDir('unit'), 'evenkeel.service');
  writeFileSync(file, unit);
  const { stdout, stderr } = await runCommand(['systemd-analyze', 'verify', file], { timeout: 60_000 });
  return `${stdout}${stderr}`.trim();
}

const missing = await runCommand(['systemd-analyze', '--version']).then(
  () => null,
  () => 'there is no systemd-analyze on this machine',
);
if (missing !== null) console.warn(`skipped: ${missing}`);

test.skipIf(missing !== null)(
  'systemd has nothing to remark on the unit of a keeper',
  { timeout: 60_000 },
  async () => {
    const unit = unitFile({ execPath: process.execPath, home: '/var/lib/even keel/100%', user: 'root' });
    expect(await remarks(unit)).toBe('');
    // That it looks at all is shown by a mistake.
    expect(await remarks(unit.replace('Restart=always', 'Restart=allways'))).toContain('allways');
  },
);
