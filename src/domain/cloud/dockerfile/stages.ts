/** A Dockerfile as its parser hands it over: no text, only what the rules look at. Lines count from 1. */

export interface Dockerfile {
  /** As messages name it, relative to the project's folder. */
  file: string;
  /** What `ARG` before the first stage gives to `FROM`. */
  args: Readonly<Record<string, string>>;
  stages: readonly Stage[];
}

export interface Stage {
  /** Lower-case, or null. */
  name: string | null;
  /** An image, or the name of an earlier stage. */
  from: string;
  line: number;
  instructions: readonly Instruction[];
}

export type Instruction =
  /** `COPY` and `ADD`. `from`: a stage by name or number, or an image; null: the build context. */
  | { do: 'copy'; line: number; from: string | null; sources: readonly string[]; target: string }
  /** The whole command, here-documents included. */
  | { do: 'run'; line: number; command: string }
  | { do: 'workdir'; line: number; path: string }
  /** `ARG` and `ENV`; null: given from outside. */
  | { do: 'set'; line: number; name: string; value: string | null };

/** What is wrong with a Dockerfile, or with what it is given. */
export interface Finding {
  code:
    | 'dockerfile-empty'
    | 'dockerfile-one-stage'
    | 'dockerfile-stages-apart'
    | 'dockerfile-package-ignored'
    | 'dockerfile-package-outside'
    | 'dockerfile-package-missing'
    | 'dockerfile-package-extra'
    | 'dockerfile-prisma';
  /** An error fails the build before it is paid for; a warning is said. */
  severity: 'error' | 'warning';
  file: string;
  line: number;
  what: string;
  why: string;
  /** How to mend it. */
  mend: string;
}

/** Names with their values filled in, where they are known: `$V`, `${V}`, `${V:-otherwise}`. */
export function filled(text: string, values: Readonly<Record<string, string>>): string {
  return text.replaceAll(
    /\$(?:(\w+)|\{(\w+)(?::-([^}]*))?\})/g,
    (whole, plain: string | undefined, braced: string | undefined, otherwise: string | undefined) =>
      values[plain ?? braced ?? ''] ?? otherwise ?? whole,
  );
}

/** The stage that a name or number means, of those before `index`; null: an image. */
export function stageNamed({ stages }: Dockerfile, name: string, index: number): number | null {
  const wanted = name.toLowerCase();
  const found = stages.findLastIndex((stage, at) => at < index && stage.name === wanted);
  if (found >= 0) return found;
  return /^\d+$/.test(name) && Number(name) < index ? Number(name) : null;
}

/** The stages that this one is built on, itself first. */
export function basesOf(dockerfile: Dockerfile, index: number): number[] {
  const stage = dockerfile.stages[index];
  if (stage === undefined) return [];
  const base = stageNamed(dockerfile, filled(stage.from, dockerfile.args), index);
  return base === null ? [index] : [index, ...basesOf(dockerfile, base)];
}

/** All stages that this one takes something from, by `FROM` or `COPY --from`, however far away; itself first. */
export function feeding(dockerfile: Dockerfile, index: number): number[] {
  const found = new Set<number>();
  const visit = (at: number): void => {
    if (found.has(at)) return;
    found.add(at);
    const stage = dockerfile.stages[at];
    if (stage === undefined) return;
    const names = stage.instructions.flatMap((each) => (each.do === 'copy' && each.from !== null ? [each.from] : []));
    for (const name of [stage.from, ...names]) {
      const other = stageNamed(dockerfile, filled(name, dockerfile.args), at);
      if (other !== null) visit(other);
    }
  };
  visit(index);
  return [...found];
}
