import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { openHome, type System } from './evenkeel-home.ts';
import { tempDir } from './temp.ts';

export type { System };

/** evenkeel as a user has it, in a home of its own; stopped with the test. */
export function openSystem(): System {
  const system = openHome(tempDir('home'));
  onTestFinished(() => system.stop(), 90_000);
  return system;
}

/** Writes files below a fresh folder; answers the folder. */
export function projectFolder(files: Record<string, string>): string {
  const root = tempDir('project');
  writeFiles(root, files);
  return root;
}

export function writeFiles(root: string, files: Record<string, string>): void {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), content);
  }
}
