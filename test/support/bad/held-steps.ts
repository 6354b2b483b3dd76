import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tempDir } from '../temp.ts';
import { waitFor } from '../wait.ts';

/** Commands that say that they have begun, and go on when they are let. */
export interface HeldSteps {
  /** The command of a step, as it stands in evenkeel.yaml. */
  command(step: string): string;
  begun(step: string): Promise<unknown>;
  release(step: string): void;
  /** A line `once` for each time that the step was begun. */
  witnessed(step: string): string;
}

export function heldSteps(): HeldSteps {
  const marks = tempDir('marks');
  return {
    command: (step) => `'echo once >> ${marks}/${step}; while [ ! -e ${marks}/${step}.go ]; do sleep 0.05; done'`,
    begun: (step) => waitFor(() => existsSync(join(marks, step)), { what: `the ${step}`, timeout: 60_000 }),
    release: (step) => writeFileSync(join(marks, `${step}.go`), ''),
    witnessed: (step) => readFileSync(join(marks, step), 'utf8'),
  };
}
