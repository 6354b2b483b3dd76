import { writeSync } from 'node:fs';

export type LogLevel = 'info' | 'warn' | 'error';

/** One line of JSON for each thing worth telling; never secrets, never bodies. */
export type EdgeLog = (level: LogLevel, message: string, details: Readonly<Record<string, unknown>>) => void;

const STDERR = 2;

export const logToStderr: EdgeLog = (level, message, details) => {
  const line = JSON.stringify({ at: new Date().toISOString(), level, from: 'edge', message, ...details });
  try {
    // Not process.stderr: after one full disk that stream fails for good, and what it fails with ends the process.
    writeSync(STDERR, `${line}\n`);
  } catch {
    // What nobody can write nobody can read either; traffic goes on.
  }
};
