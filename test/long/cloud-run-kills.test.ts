import { expect, onTestFinished, test } from 'vitest';
import { endEmulators } from '../emulator/emulated.ts';
import { CLOUD_CELLS, named, runCloudMatrix } from '../support/cloud/cloud-matrix.ts';
import { CloudStage } from '../support/cloud/cloud-stage.ts';
import { tempDir } from '../support/temp.ts';

const MINUTE = 60_000;

test(
  'kill -9 of the controller at every checkpoint and every change of rollouts on Cloud Run, under load',
  async () => {
    const only = process.env['MATRIX_ONLY'];
    const cells = only === undefined ? CLOUD_CELLS : CLOUD_CELLS.filter((cell) => new RegExp(only).test(named(cell)));
    const stage = await CloudStage.prepare(tempDir('c'));
    onTestFinished(async () => {
      await stage.system.stop();
      await endEmulators();
    }, MINUTE);
    await stage.system.start();
    await stage.promoted(await stage.deploy());
    const report = await runCloudMatrix(stage, cells, (text) => console.log(text));
    const failed = [...report.failed.values()].reduce((sum, each) => sum + each, 0);
    console.log(
      `${report.kills} kills, ${report.requests} requests, ${failed} failed; back after at most ${report.backMs} ms`,
    );
    expect(report.wrong).toEqual([]);
    expect([...report.failed]).toEqual([]);
  },
  60 * MINUTE,
);
