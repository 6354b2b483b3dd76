import { spawnPiped } from '../../platform/process/spawn-piped.ts';
import { sendSignal } from '../../platform/process/table.ts';
import { lines } from '../../platform/stream-lines.ts';

export interface LinesRun {
  cwd: string;
  /** The whole environment. */
  env: Record<string, string>;
  onLine: (line: string) => void;
  signal: AbortSignal;
}

/** How long outputs are read after the end of a program, ms, when somebody else still has them open. */
const LINGER = 300;

/** Runs a program to its end, its lines as they come; on abort it goes with all of its group. Rejects when it cannot start. */
export async function runLines(
  argv: readonly string[],
  { cwd, env, onLine, signal }: LinesRun,
): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
  signal.throwIfAborted();
  const child = await spawnPiped(argv, { cwd, env });
  const kill = () => sendSignal(-child.pid, 'SIGKILL');
  signal.addEventListener('abort', kill, { once: true });
  if (signal.aborted) kill();
  const read = async (stream: AsyncIterable<unknown>): Promise<void> => {
    try {
      for await (const line of lines(stream)) onLine(line);
    } catch {
      // closed below
    }
  };
  const reading = Promise.all([read(child.stdout), read(child.stderr)]);
  const ended = await child.exited;
  signal.removeEventListener('abort', kill);
  const timer = setTimeout(() => {
    child.stdout.destroy();
    child.stderr.destroy();
  }, LINGER);
  await reading;
  clearTimeout(timer);
  kill(); // what it left running would write into an image that is done
  return ended;
}
