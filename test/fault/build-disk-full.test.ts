import { randomBytes } from 'node:crypto';
import { rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { processBuilder } from '../../src/drivers/build/process-builder.ts';
import { processJobs } from '../../src/drivers/runtime/process/jobs.ts';
import { aBuilder, aProject, aRequest, aService, build, built } from '../support/build-fixture.ts';
import { tinyDisk } from '../support/tiny-disk.ts';

test.runIf(process.getuid?.() === 0)(
  'a full disk ends a build in those words, and harms neither the former artifact nor the next build',
  async (context) => {
    const disk = tinyDisk(4 * 1024 * 1024);
    if (disk === null) return context.skip('no file system can be mounted here');
    const { builder } = aBuilder(disk);
    const root = aProject({ 'main.js': 'x' });
    const good = await built(builder, aRequest(root));

    writeFileSync(join(root, 'big.bin'), randomBytes(6 * 1024 * 1024));
    for (const service of [aService(), aService({ build: 'true' })]) {
      const end = await build(builder, aRequest(root, { service }));
      expect(end.state).toBe('failed');
      expect(end.detail).toContain('No space is left on the disk');
    }
    expect(await builder.has(good.artifact)).toBe(true);

    // A command that fills it by itself.
    writeFileSync(join(root, 'big.bin'), 'small again');
    const filling = await build(
      builder,
      aRequest(root, { service: aService({ build: 'head -c 8000000 /dev/zero > zeros' }) }),
    );
    expect(filling.state).toBe('failed');
    expect(filling.detail).toMatch(/exit code|space/);

    const next = await built(builder, aRequest(root));
    expect(await builder.has(next.artifact)).toBe(true);
  },
);

test.runIf(process.getuid?.() === 0)(
  'a build is refused before the disk is full, and one that is about to fill it is ended',
  async (context) => {
    const disk = tinyDisk(16 * 1024 * 1024);
    if (disk === null) return context.skip('no file system can be mounted here');
    const MB = 1024 * 1024;
    const builder = processBuilder({ home: disk, jobs: processJobs({ home: disk }), pollMs: 20, reserve: 8 * MB });
    const root = aProject({ 'main.js': 'x' });
    const good = await built(builder, aRequest(root));

    const filling = 'i=0; while [ $i -lt 2000 ]; do head -c 65536 /dev/zero >> zeros; i=$((i+1)); sleep 0.01; done';
    const ended = await build(builder, aRequest(root, { service: aService({ build: filling }) }));
    expect(ended).toMatchObject({ state: 'failed', detail: expect.stringContaining('are kept for what runs') });
    // There was room all the time, and what it had written is gone.
    expect(statfsSync(disk).bavail * statfsSync(disk).bsize).toBeGreaterThan(8 * MB);

    writeFileSync(join(disk, 'something-else'), Buffer.alloc(10 * MB, 1));
    for (const service of [aService(), aService({ build: 'true' })]) {
      writeFileSync(join(root, 'main.js'), String(Math.random()));
      const refused = await build(builder, aRequest(root, { service }));
      expect(refused).toMatchObject({
        state: 'failed',
        detail: expect.stringMatching(/^Only .* are free on the disk/),
      });
    }
    expect(await builder.has(good.artifact)).toBe(true);
    rmSync(join(disk, 'something-else'));
    await built(builder, aRequest(root));
  },
);
