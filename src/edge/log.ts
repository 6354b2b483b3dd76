export type LogLevel = 'info' | 'warn' | 'error';

/** One line of JSON for each thing worth telling; never secrets, never bodies. */
export type EdgeLog = (level: LogLevel, message: string, details: Readonly<Record<string, unknown>>) => void;

export const logToStderr: EdgeLog = (level, message, details) => {
  process.stderr.write(
    `${JSON.stringify({ at: new Date().toISOString(), level, from: 'edge', message, ...details })}\n`,
  );
};
