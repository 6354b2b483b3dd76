import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join, posix } from 'node:path';
import { runLines } from '../process/run-lines.ts';
import { copySource, type Building, type Stage } from './building.ts';
import { copyInto } from './copy.ts';
import { assignments, expand, words, type Instruction } from './dockerfile.ts';
import { BuildFailure } from './image.ts';
import { inFolder, pathOnHost, shellToHost, toHost } from './image-paths.ts';
import { unpack } from './unpack.ts';

/** ARGs that need no declaration. */
const PROXIES = /^(https?|ftp|no|all)_proxy$/i;

/** Carries one instruction out in a stage. Throws a BuildFailure. */
export async function carryOut(
  building: Building,
  stage: Stage,
  instruction: Instruction,
  global: Readonly<Record<string, string>>,
): Promise<void> {
  const { config } = stage;
  const values = { ...stage.args, ...config.env };
  const text = expand(instruction.text, values);
  // Values are replaced after the splitting: blanks that come with them separate nothing.
  const assigned = assignments(instruction.text).map(
    ([name, value]) => [name, value === null ? null : expand(value, values)] as const,
  );
  switch (instruction.keyword) {
    case 'ARG':
      for (const [name, value] of assigned) {
        const given = building.buildArgs[name] ?? value ?? global[name];
        if (given !== undefined) stage.args[name] = given;
      }
      return;
    case 'ENV':
      for (const [name, value] of assigned) config.env[name] = value ?? '';
      return;
    case 'LABEL':
      for (const [name, value] of assigned) config.labels[name] = value ?? '';
      return;
    case 'WORKDIR':
      config.workdir = posix.resolve(config.workdir, words(text)[0] ?? '/');
      await mkdir(inFolder(stage.folder, config.workdir), { recursive: true });
      return;
    case 'COPY':
    case 'ADD':
      return copy(building, stage, instruction, values);
    case 'RUN':
      return run(building, stage, instruction);
    case 'ENTRYPOINT':
      config.entrypoint = instruction.exec ?? ['/bin/sh', '-c', instruction.text];
      config.cmd = null; // what the base image had fits the former one
      return;
    case 'CMD':
      config.cmd = instruction.exec ?? ['/bin/sh', '-c', instruction.text];
      return;
    case 'EXPOSE':
      config.ports.push(
        ...words(text)
          .map((port) => Number.parseInt(port, 10))
          .filter(Number.isInteger),
      );
      return;
    case 'USER':
      config.user = text;
      building.log(` ---> noted: programs run here as the user of the emulator, not as ${text}`);
      return;
    case 'HEALTHCHECK':
      building.log(' ---> ignored: Cloud Run looks after health by its own probes');
      return;
    case 'VOLUME':
    case 'STOPSIGNAL':
    case 'SHELL':
    case 'ONBUILD':
    case 'MAINTAINER':
      building.log(` ---> ignored: ${instruction.keyword} has no effect here`);
      return;
    default:
      throw new BuildFailure(
        `dockerfile parse error on line ${instruction.line}: unknown instruction: ${instruction.keyword}`,
      );
  }
}

async function copy(
  building: Building,
  stage: Stage,
  instruction: Instruction,
  values: Readonly<Record<string, string>>,
): Promise<void> {
  const all = (instruction.exec ?? words(instruction.text)).map((word) => expand(word, values));
  const target = all.pop();
  if (target === undefined || all.length === 0)
    throw new BuildFailure(`line ${instruction.line}: ${instruction.keyword} requires at least two arguments`);
  const slash = target.endsWith('/') || target === '.' || target.endsWith('/.') ? '/' : '';
  const path = posix.resolve(stage.config.workdir, target) + slash;
  for (const { name, text } of instruction.heredocs) {
    const file = inFolder(stage.folder, slash === '' ? path : posix.join(path, name));
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, expand(text, values));
  }
  const sources = all.filter((word) => !word.startsWith('<<'));
  if (sources.length === 0) return;
  const url = sources.find((source) => /^(https?|git|ssh):|^git@/.test(source));
  if (url !== undefined)
    throw new BuildFailure(
      `line ${instruction.line}: ${instruction.keyword} ${url}: the emulator's builder fetches nothing from the net`,
    );
  const { from, chmod: mode } = instruction.flags;
  const source = from === undefined ? building.contextFiles : copySource(building, expand(from, values));
  if (instruction.keyword === 'ADD') {
    const archives = sources.filter((each) => /\.(tar|tar\.gz|tgz|tar\.xz|tar\.bz2)$/.test(each));
    for (const archive of archives) await unpack(join(source.folder, archive), inFolder(stage.folder, path));
    const plain = sources.filter((each) => !archives.includes(each));
    if (plain.length > 0) await copyInto(source, plain, { folder: stage.folder, path });
    return;
  }
  await copyInto(source, sources, { folder: stage.folder, path });
  if (mode !== undefined && /^[0-7]{3,4}$/.test(mode) && sources.length === 1) {
    const file = slash === '' ? path : posix.join(path, basename(sources[0] ?? ''));
    await chmod(inFolder(stage.folder, file), Number.parseInt(mode, 8)).catch(() => {});
  }
}

async function run(building: Building, stage: Stage, instruction: Instruction): Promise<void> {
  const { folder, config } = stage;
  const script = instruction.heredocs.map(({ text }) => text).join('\n');
  const argv =
    instruction.exec === null
      ? ['/bin/sh', '-c', shellToHost(folder, script === '' ? instruction.text : script)]
      : instruction.exec.map((word) => toHost(folder, word));
  const { place } = building;
  const cwd = inFolder(folder, config.workdir);
  await mkdir(cwd, { recursive: true });
  const proxies = Object.entries(building.buildArgs).filter(([name]) => PROXIES.test(name));
  const env = {
    ...place.hostEnv,
    // `npm install -g` would otherwise go to this machine.
    npm_config_prefix: inFolder(folder, '/usr/local'),
    ...Object.fromEntries(proxies),
    ...stage.args,
    ...config.env,
    PATH: pathOnHost(folder, config.env['PATH'] ?? '', place.tools, place.hostPath),
  };
  const tail: string[] = [];
  const onLine = (line: string): void => {
    const shown = line.replaceAll(folder, '');
    tail.push(shown);
    if (tail.length > 20) tail.shift();
    building.log(shown);
  };
  let ended;
  try {
    ended = await runLines(argv, { cwd, env, onLine, signal: building.signal });
  } catch (error) {
    building.signal.throwIfAborted();
    throw new BuildFailure(`The command '${instruction.text}' could not be started: ${(error as Error).message}`, 127);
  }
  building.signal.throwIfAborted();
  if (ended.code === 0) return;
  const how = ended.code === null ? `was ended by ${ended.signal}` : `returned a non-zero code: ${ended.code}`;
  throw new BuildFailure(`The command '${shown(argv, folder)}' ${how}`, ended.code ?? 137);
}

const shown = (argv: readonly string[], folder: string): string => argv.join(' ').replaceAll(folder, '');
