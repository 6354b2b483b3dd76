import { randomBytes } from 'node:crypto';

/** The environment variable that every process started below a test file inherits. */
export const RUN_VARIABLE = 'EVENKEEL_TEST_RUN';

/**
 * A name for this run of this test file: short, since it becomes part of Unix socket paths (108 bytes), and unlikely
 * to occur in the environment of anybody else's process. It is kept in the environment because a setup file and a
 * test file may each load their own copy of this module.
 */
export function runId(): string {
  const known = process.env[RUN_VARIABLE];
  if (known !== undefined && known !== '') return known;
  const made = `ektest${randomBytes(4).toString('hex')}`;
  process.env[RUN_VARIABLE] = made;
  return made;
}

/** Forgets a name inherited from outside, so that two test files never share one. */
export function newRunId(): string {
  delete process.env[RUN_VARIABLE];
  return runId();
}
