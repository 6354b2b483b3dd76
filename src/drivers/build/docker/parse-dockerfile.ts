import type { Dockerfile, Instruction, Stage } from '../../../domain/cloud/dockerfile/stages.ts';
import {
  type Copy,
  DockerfileParser,
  type From,
  type Instruction as Parsed,
  type JSONInstruction,
  type PropertyInstruction,
} from 'dockerfile-ast';

/**
 * What the rules of builds look at. Nothing is refused here: what Docker would refuse is left out.
 *
 * @param file as messages are to name it
 */
export function parseDockerfile(text: string, file: string): Dockerfile {
  const args: Record<string, string> = {};
  const stages: (Stage & { instructions: Instruction[] })[] = [];
  for (const parsed of DockerfileParser.parse(text).getInstructions()) {
    const stage = stages.at(-1);
    const line = parsed.getRange().start.line + 1;
    if (parsed.getKeyword() === 'FROM') {
      const from = parsed as From;
      const name = from.getBuildStage()?.toLowerCase() ?? null;
      stages.push({ name, from: from.getImage() ?? '', line, instructions: [] });
    } else if (stage === undefined) {
      for (const { name, value } of assignments(parsed)) if (value !== null) args[name] = value;
    } else stage.instructions.push(...instructionsOf(parsed, line));
  }
  return { file, args, stages };
}

function instructionsOf(parsed: Parsed, line: number): Instruction[] {
  const words = parsed.getArguments().map((each) => each.getValue());
  switch (parsed.getKeyword()) {
    case 'ADD':
    case 'COPY': {
      const paths = pathsOf(parsed as JSONInstruction, words);
      const target = paths.pop();
      if (target === undefined || paths.length === 0) return [];
      const from =
        (parsed as Copy)
          .getFlags()
          .find((flag) => flag.getName() === 'from')
          ?.getValue() ?? null;
      return [{ do: 'copy', line, from, sources: paths, target }];
    }
    case 'RUN': {
      const json = jsonOf(parsed as JSONInstruction);
      return [{ do: 'run', line, command: json === null ? commandOf(parsed) : json.join(' ') }];
    }
    case 'WORKDIR':
      return words[0] === undefined ? [] : [{ do: 'workdir', line, path: words.join(' ') }];
    case 'ARG':
    case 'ENV':
      return assignments(parsed).map((each) => ({ do: 'set', line, ...each }));
    default:
      return [];
  }
}

/** The parser's own reading of `["a b", "c"]` loses blanks. */
function jsonOf(parsed: JSONInstruction): string[] | null {
  if (parsed.getOpeningBracket() === null) return null;
  const text = (parsed.getArgumentsContent() ?? '').replaceAll(/\\\r?\n\s*/g, '');
  try {
    const read: unknown = JSON.parse(text.slice(text.indexOf('[')));
    return Array.isArray(read) && read.every((each) => typeof each === 'string') ? read : null;
  } catch {
    return null;
  }
}

const pathsOf = (parsed: JSONInstruction, words: string[]): string[] => jsonOf(parsed) ?? words;

/** Continued lines are one; comments between them are nothing. */
function commandOf(parsed: Parsed): string {
  const text = parsed.getRawArgumentsContent() ?? parsed.getArgumentsContent() ?? '';
  return text.replaceAll(/\\[ \t]*\r?\n(?:[ \t]*#[^\n]*\n)*/g, ' ').trim();
}

function assignments(parsed: Parsed): { name: string; value: string | null }[] {
  if (!['ARG', 'ENV'].includes(parsed.getKeyword())) return [];
  return (parsed as PropertyInstruction)
    .getProperties()
    .map((property) => ({ name: property.getName(), value: property.getValue() }));
}
