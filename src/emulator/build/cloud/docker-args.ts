import { BuildFailure } from '../image.ts';

export interface DockerBuild {
  /** References. */
  tags: string[];
  dockerfile: string;
  buildArgs: Record<string, string>;
  target: string | null;
  /** Below the workspace. */
  context: string;
  /** kaniko pushes what it builds by itself. */
  push: boolean;
}

/** Options of `docker build` that take a value and change nothing here. */
const WITH_VALUE = new Set([
  '--cache-from',
  '--cache-to',
  '--label',
  '--network',
  '--platform',
  '--progress',
  '--output',
  '-o',
  '--secret',
  '--ssh',
  '--builder',
  '--add-host',
  '--shm-size',
  '--memory',
  '-m',
  '--iidfile',
  '--metadata-file',
  '--provenance',
  '--sbom',
]);

/** What follows `docker build`. Throws a BuildFailure as docker would. */
export function dockerBuildArgs(args: readonly string[], env: Readonly<Record<string, string>>): DockerBuild {
  const build: DockerBuild = {
    tags: [],
    dockerfile: 'Dockerfile',
    buildArgs: {},
    target: null,
    context: '',
    push: false,
  };
  const rest = [...args];
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    const [name = '', inline] = arg.startsWith('--') ? arg.split(/=(.*)/s) : [arg];
    const value = () => {
      const found = inline ?? rest.shift();
      if (found === undefined) throw new BuildFailure(`flag needs an argument: ${name}`, 125);
      return found;
    };
    if (name === '-t' || name === '--tag') build.tags.push(value());
    else if (name === '-f' || name === '--file') build.dockerfile = value();
    else if (name === '--target') build.target = value();
    else if (name === '--push') build.push = true;
    else if (name === '--build-arg') {
      const [key = '', given] = value().split(/=(.*)/s);
      const known = given ?? env[key];
      if (known !== undefined) build.buildArgs[key] = known;
    } else if (WITH_VALUE.has(name)) value();
    else if (!name.startsWith('-')) build.context = arg;
  }
  if (build.context === '') throw new BuildFailure("docker: 'docker build' requires 1 argument", 1);
  return { ...build, dockerfile: withinContext(build) };
}

/** `-f` is said from the working folder; the builder wants it from the context. */
function withinContext({ context, dockerfile }: DockerBuild): string {
  const plain = (path: string) =>
    path
      .replace(/^\/workspace\/?/, '')
      .replace(/^\.\//, '')
      .replace(/\/+$/, '')
      .replace(/^\.$/, '');
  const [base, file] = [plain(context), plain(dockerfile)];
  if (base === '' || dockerfile === 'Dockerfile') return file;
  return file.startsWith(`${base}/`)
    ? file.slice(base.length + 1)
    : `${base
        .split('/')
        .map(() => '..')
        .join('/')}/${file}`;
}

/** Arguments of kaniko's executor. */
export function kanikoArgs(args: readonly string[]): DockerBuild {
  const build: DockerBuild = {
    tags: [],
    dockerfile: 'Dockerfile',
    buildArgs: {},
    target: null,
    context: '.',
    push: true,
  };
  const rest = args.flatMap((arg) => (/^--[^=]+=/.test(arg) ? arg.split(/=(.*)/s).slice(0, 2) : [arg]));
  for (let at = 0; at < rest.length; at++) {
    const next = () => rest[++at] ?? '';
    switch (rest[at] ?? '') {
      case '--destination':
      case '-d':
        build.tags.push(next());
        break;
      case '--dockerfile':
      case '-f':
        build.dockerfile = next();
        break;
      case '--context':
      case '-c':
        build.context = next().replace(/^dir:\/\//, '');
        break;
      case '--target':
        build.target = next();
        break;
      case '--no-push':
        build.push = false;
        break;
      case '--build-arg': {
        const [key = '', value = ''] = next().split(/=(.*)/s);
        build.buildArgs[key] = value;
        break;
      }
      default:
    }
  }
  return build;
}
