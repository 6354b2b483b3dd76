import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const CLI = fileURLToPath(new URL('../../src/bin.ts', import.meta.url));

export interface CliRun {
  code: number | null;
  /** The JSON documents that it printed, one for each line. */
  documents: Record<string, unknown>[];
  errors: string;
  /** Wall time of the whole command, start of the process included. */
  ms: number;
}

export interface JsonOptions {
  /** What is typed, or comes through a pipe. */
  input?: string;
  /** Each document as it comes. */
  onDocument?: (document: Record<string, unknown>) => void;
}

/** The CLI of this clone, in one folder; what still runs is known, so that it can be ended. */
export class Commands {
  readonly #cwd: string;
  readonly #env: () => NodeJS.ProcessEnv;
  readonly #quiet: boolean;
  readonly #running = new Set<ReturnType<typeof spawn>>();

  /** @param quiet nothing of what commands print is shown */
  constructor({ cwd, env, quiet }: { cwd: string; env: () => NodeJS.ProcessEnv; quiet: boolean }) {
    this.#cwd = cwd;
    this.#env = env;
    this.#quiet = quiet;
  }

  /** Runs a command to its end, without a word on the screen, and reads what it printed as JSON. */
  async json(args: string[], { input = '', onDocument = () => {} }: JsonOptions = {}): Promise<CliRun> {
    const started = performance.now();
    const child = spawn(process.execPath, [CLI, ...args, '--json'], { cwd: this.#cwd, env: this.#env() });
    this.#running.add(child);
    const documents: Record<string, unknown>[] = [];
    let errors = '';
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (!line.startsWith('{')) return;
      const document = JSON.parse(line) as Record<string, unknown>;
      documents.push(document);
      onDocument(document);
    });
    child.stderr.on('data', (chunk) => (errors += String(chunk)));
    // Whoever ended before it read everything has its reasons, and an exit code.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    const [code] = (await once(child, 'close')) as [number | null];
    this.#running.delete(child);
    return { code, documents, errors, ms: performance.now() - started };
  }

  /**
   * Runs a command as a person sees it; silent when quiet. Answers its exit code and wall time.
   *
   * @param leaveOut lines that only make a log long; on a terminal the command itself shows them for a moment
   */
  async show(args: string[], leaveOut: RegExp | null = null): Promise<{ code: number | null; ms: number }> {
    if (this.#quiet) return this.json(args);
    const started = performance.now();
    const filtered = leaveOut !== null && !process.stdout.isTTY;
    const child = spawn(process.execPath, [CLI, ...args], {
      cwd: this.#cwd,
      env: this.#env(),
      stdio: ['inherit', filtered ? 'pipe' : 'inherit', 'inherit'],
    });
    this.#running.add(child);
    if (child.stdout !== null)
      createInterface({ input: child.stdout }).on('line', (line) => {
        if (leaveOut?.test(line) !== true) process.stdout.write(`${line}\n`);
      });
    const [code] = (await once(child, 'close')) as [number | null];
    this.#running.delete(child);
    return { code, ms: performance.now() - started };
  }

  /** Ends all that still run. */
  kill(): void {
    for (const child of this.#running) child.kill('SIGKILL');
  }
}
