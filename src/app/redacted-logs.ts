import type { LogReader } from '../ports/logs.ts';

/**
 * Output as it may be shown, searched and sent: what a program printed of its secrets stays in its log file. Searching
 * sees the same, or a search would tell what a secret begins with.
 */
export function redactedLogs(logs: LogReader, redact: (text: string) => Promise<string>): LogReader {
  return {
    maintain: (files) => logs.maintain(files),
    async *read(query) {
      for await (const entry of logs.read(query)) yield { ...entry, line: await redact(entry.line) };
    },
  };
}
