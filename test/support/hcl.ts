import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { format } from '@cdktn/hcl-tools';
import { parse } from '@cdktn/hcl2json';

/** What HashiCorp's own parser reads; throws where it cannot. */
export async function parseHcl(content: string, name = 'main.tf'): Promise<Record<string, unknown>> {
  return (await parse(name, content)) as Record<string, unknown>;
}

/** Whether this machine has a `terraform`, which is asked, too, where there is one. */
const hasTerraform = spawnSync('terraform', ['version'], { stdio: 'ignore', env: bare() }).status === 0;

interface HclFile {
  path: string;
  content: string;
}

/** What `terraform fmt` would change in these files, as its own formatter has it; null when it is content. */
export async function formatFaults(folder: string, files: readonly HclFile[]): Promise<string | null> {
  for (const { path, content } of files) {
    const wanted = await format(content);
    if (wanted !== content) return `${path} should be\n${wanted}\nand is\n${content}`;
  }
  return hasTerraform ? terraformFaults(folder, files) : null;
}

function terraformFaults(folder: string, files: readonly HclFile[]): string | null {
  for (const { path, content } of files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  const run = spawnSync('terraform', ['fmt', '-check', '-diff', '-recursive', '-no-color', folder], {
    encoding: 'utf8',
    env: bare(),
  });
  return run.status === 0 ? null : `${run.stdout}${run.stderr}`;
}

/** Neither the user's configuration nor the network has a part in it. */
function bare(): NodeJS.ProcessEnv {
  return { ...process.env, TF_CLI_CONFIG_FILE: '/dev/null', CHECKPOINT_DISABLE: '1' };
}
