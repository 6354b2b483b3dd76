import { suggest } from '../lib/suggest.ts';
import { isCloudPath, isEnvPath, isPrivatePath, withinService } from './private-values.ts';
import { problemAt } from './problem.ts';
import type { Complaint, Problem } from './problem.ts';
import { hasTemplate, parseTemplate } from './template.ts';
import type { TemplatePart } from './template.ts';
import { mapScalars } from './tree.ts';
import type { ScalarTree, Tree } from './tree.ts';
import type { Variables } from './variables.ts';

/** What is needed to know what `${...}` means. */
export interface Filling {
  environment: string;
  variables: Variables;
  secrets: ReadonlySet<string>;
}

export interface Filled {
  tree: Tree;
  problems: Problem[];
  /** Dotted paths of values that could not be filled, so that nobody judges the text with the `${` still in it. */
  unfilled: Set<string>;
}

const COMMANDS = new Set(['run', 'dev', 'build', 'migrate', 'contract', 'smoke', 'check']);

/**
 * Fills `${VAR}` everywhere but in `env` and in the urls of databases: those may hold what is only known later (see
 * `resolve/env.ts`). Other environments than the chosen one are left as they are: their variables need not be set.
 */
export function fill(tree: Tree, filling: Filling): Filled {
  const problems: Problem[] = [];
  const unfilled = new Set<string>();
  const filled = mapScalars(tree, (scalar) => {
    if (isPrivatePath(scalar.path)) return asText(scalar);
    // Looked up by programs that know no environment yet.
    if (scalar.path[0] === 'project') return scalar;
    if (typeof scalar.value !== 'string' || !hasTemplate(scalar.value)) return scalar;
    const other = scalar.path[0] === 'environments' && scalar.path[1] !== filling.environment;
    const result = other ? null : fillScalar(scalar, scalar.value, filling, problems);
    if (result === null) unfilled.add(scalar.path.join('.'));
    return result ?? scalar;
  });
  return { tree: filled, problems, unfilled };
}

/** A number in `env` is the text that was written. */
function asText(scalar: ScalarTree): ScalarTree {
  if (typeof scalar.value !== 'number' && typeof scalar.value !== 'boolean') return scalar;
  return { ...scalar, value: scalar.source };
}

function fillScalar(scalar: ScalarTree, text: string, filling: Filling, problems: Problem[]): ScalarTree | null {
  const inCommand = COMMANDS.has(withinService(scalar.path)?.[0] ?? '');
  let filledFrom: string | null = null;
  let value = '';
  let failed = false;
  for (const part of parseTemplate(text)) {
    if (part.kind === 'text') {
      value += part.text;
    } else if (part.kind === 'variable' && part.name === 'PORT' && inCommand) {
      // Each instance has its own, so this is left to the shell.
      value += part.raw;
    } else if (part.kind === 'variable' && part.name === 'env' && isCloudPath(scalar.path)) {
      value += filling.environment;
    } else {
      const found = part.kind === 'variable' ? valueOf(part, filling, scalar.path) : misplaced(part);
      if (typeof found === 'string') {
        value += found;
        if (part.kind === 'variable') filledFrom = part.name;
      } else {
        problems.push(problemAt(scalar.place, scalar.path, found));
        failed = true;
      }
    }
  }
  return failed ? null : { ...scalar, value, source: value, filledFrom: filledFrom ?? scalar.filledFrom };
}

/** The value of `${VAR}`, or what is wrong with it. */
export function valueOf(
  part: Extract<TemplatePart, { kind: 'variable' }>,
  filling: Filling,
  path: readonly string[],
): string | Complaint {
  const { name, fallback } = part;
  if (filling.secrets.has(name)) {
    return {
      code: 'secret-misplaced',
      message: `\`\${${name}}\` is a secret and may only be used in \`env\` and in the url of a database`,
      hint: 'give it to the program as a variable, and let the program read that',
    };
  }
  if (name.startsWith('SECRET_')) {
    return {
      code: 'secret-misplaced',
      message: `\`\${${name}}\` is not listed in \`secrets\``,
      hint: isEnvPath(path) ? `add ${name} to \`secrets\` at the top of the file` : 'secrets may only be used in `env`',
    };
  }
  if (name === 'PORT' && withinService(path) !== null) {
    return {
      code: 'bad-variable',
      message: '`${PORT}` is only known when an instance starts',
      expected: 'to be used in `env` or in a command',
    };
  }
  const placeholder = filling.variables.placeholders.get(name);
  if (placeholder !== undefined) {
    return {
      code: 'secret-misplaced',
      message: `\`${name}\` in ${placeholder} stands for a secret, which is never loaded as text`,
      hint: `add ${name} to \`secrets\`, and set it: \`evenkeel secrets set ${name}\``,
    };
  }
  const value = filling.variables.get(name);
  if (fallback !== null && (value === undefined || value === '')) return fallback;
  if (value !== undefined) return value;
  const meant = suggest(name, [...filling.variables.names, ...filling.secrets]);
  const next = meant === null ? `set it, or write \${${name}:-default}` : `did you mean "${meant}"?`;
  return {
    code: 'unset-variable',
    message: `\`\${${name}}\` is not set; looked in ${filling.variables.lookedIn}`,
    hint: next,
  };
}

function misplaced(part: Exclude<TemplatePart, { kind: 'text' | 'variable' }>): Complaint {
  if (part.kind === 'error') return { code: 'bad-variable', message: part.message, hint: part.hint };
  return {
    code: 'bad-variable',
    message: `\`${part.raw}\` may only be used in \`env\``,
    expected: '${NAME} or ${NAME:-default}',
  };
}
