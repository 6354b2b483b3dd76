import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readTextIfThere } from '../../platform/read-json.ts';
import { DockerfileError, expand, parseDockerfile, type Instruction } from './dockerfile.ts';
import { BuildFailure, type Image, type ImageConfig } from './image.ts';
import type { Building, BuildOptions, BuildPlace, Stage } from './building.ts';
import { DEFAULT_PATH } from './image-paths.ts';
import { carryOut } from './instructions.ts';
import { dockerIgnore } from '../../lib/docker-ignore.ts';

/**
 * Builds an image from a Dockerfile without Docker: each stage is a folder, and commands run on this machine inside it.
 * Throws a BuildFailure (also for what is wrong with the Dockerfile), or the reason of the abort.
 */
export async function buildImage(options: BuildOptions, place: BuildPlace): Promise<Image> {
  const text = await readTextIfThere(join(options.context, options.dockerfile));
  if (text === null)
    throw new BuildFailure(`failed to read dockerfile: open ${options.dockerfile}: no such file or directory`);
  const instructions = parse(text, options.dockerfile);
  const ignore =
    (await readTextIfThere(join(options.context, `${options.dockerfile}.dockerignore`))) ??
    (await readTextIfThere(join(options.context, '.dockerignore')));
  await mkdir(place.scratch, { recursive: true });
  const scratch = await mkdtemp(join(place.scratch, 'build-'));
  const building: Building = {
    ...options,
    place,
    stages: [],
    contextFiles: { folder: options.context, ignored: dockerIgnore(ignore ?? '').out },
  };
  try {
    const stage = await runStages(building, instructions, scratch);
    options.signal.throwIfAborted();
    const image = await place.store.add(stage.folder, stage.config, place.now());
    options.log(`Successfully built ${image.digest}`);
    return image;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

function parse(text: string, name: string): Instruction[] {
  try {
    return parseDockerfile(text);
  } catch (error) {
    if (error instanceof DockerfileError) throw new BuildFailure(`${name}:${error.line}: ${error.message}`);
    throw error;
  }
}

async function runStages(building: Building, instructions: Instruction[], scratch: string): Promise<Stage> {
  const global: Record<string, string> = {};
  const { log, target } = building;
  let stage: Stage | null = null;
  for (const [index, instruction] of instructions.entries()) {
    building.signal.throwIfAborted();
    if (instruction.keyword === 'FROM') {
      if (stage !== null && stage.name === target && target !== null) return stage;
      log(`Step ${index + 1}/${instructions.length} : FROM ${instruction.text}`);
      stage = await from(building, instruction, global, join(scratch, String(building.stages.length)));
      building.stages.push(stage);
    } else if (stage === null) {
      log(`Step ${index + 1}/${instructions.length} : ${instruction.keyword} ${instruction.text}`);
      const [name = '', value = ''] = instruction.text.split(/=(.*)/s);
      global[name] = building.buildArgs[name] ?? expand(value.replace(/^(["'])(.*)\1$/, '$2'), global);
    } else {
      const flags = Object.entries(instruction.flags).map(([name, value]) => `--${name}=${value} `);
      log(`Step ${index + 1}/${instructions.length} : ${instruction.keyword} ${flags.join('')}${instruction.text}`);
      await carryOut(building, stage, instruction, global);
    }
  }
  if (stage === null || (target !== null && stage.name !== target))
    throw new BuildFailure(`failed to reach build target ${target ?? ''} in Dockerfile`);
  return stage;
}

/** What every base image has, and commands write into. */
const BASE_FOLDERS = ['tmp', 'root', 'home', 'etc', 'opt', 'srv', 'var/lib', 'usr/local/bin'];

async function from(
  building: Building,
  instruction: Instruction,
  global: Record<string, string>,
  folder: string,
): Promise<Stage> {
  const [base = '', as, name] = expand(instruction.text, global).split(/\s+/);
  if (base === '' || (as !== undefined && as.toUpperCase() !== 'AS'))
    throw new BuildFailure(`line ${instruction.line}: FROM requires either one or three arguments`);
  const stageName = name?.toLowerCase() ?? null;
  const former = building.stages.find((stage, index) => stage.name === base.toLowerCase() || String(index) === base);
  const image = former === undefined ? building.place.store.find(base) : null;
  const source = former ?? image;
  if (source !== null && source !== undefined) {
    await cp(source.folder, folder, { recursive: true, verbatimSymlinks: true });
    return { name: stageName, folder, config: structuredClone(source.config), args: {} };
  }
  await mkdir(folder, { recursive: true });
  const config: ImageConfig = {
    env: { PATH: DEFAULT_PATH },
    workdir: '/',
    entrypoint: null,
    cmd: null,
    user: null,
    ports: [],
    labels: {},
  };
  if (base === 'scratch') return { name: stageName, folder, config, args: {} };
  await Promise.all(BASE_FOLDERS.map((each) => mkdir(join(folder, each), { recursive: true })));
  if (/(^|\/)node(:|@|$)/.test(base)) {
    building.log(` ---> the Node.js of this machine stands in for ${base}: ${process.version}`);
    config.cmd = ['node'];
  } else {
    building.log(
      ` ---> warning: ${base} is not known here; an empty image stands in, with the programs of this machine`,
    );
    if (/distroless.*nodejs/.test(base)) config.entrypoint = ['node'];
  }
  return { name: stageName, folder, config, args: {} };
}
