import { filledIn } from './interpolate.ts';
import { isMap, scalarText } from './model.ts';
import type { ComposeContext, ComposeService } from './model.ts';
import { durationOf, written } from './health.ts';

export interface DraftLimits {
  instances: number | null;
  memory: string | null;
  cpu: string | null;
  stopGrace: string | null;
}

/** `scale`, `deploy`, `mem_limit`, `cpus` and `stop_grace_period`. */
export function limitsOf({ name, raw }: ComposeService, context: ComposeContext): DraftLimits {
  const { note } = context;
  const text = (value: unknown): string | null => {
    const found = scalarText(value);
    return found === null ? null : filledIn(found, `\`${name}\``, context).trim();
  };
  const deploy = isMap(raw['deploy']) ? raw['deploy'] : {};
  const resources = isMap(deploy['resources']) ? deploy['resources'] : {};
  const limits = isMap(resources['limits']) ? resources['limits'] : {};
  const unknown = Object.keys(deploy).filter((key) => !['replicas', 'resources'].includes(key));
  if (resources['reservations'] !== undefined) unknown.push('resources.reservations');
  unknown.push(
    ...Object.keys(limits).flatMap((key) => (['cpus', 'memory'].includes(key) ? [] : [`resources.limits.${key}`])),
  );
  if (unknown.length > 0) note(`not carried over of \`deploy\` of \`${name}\`: ${unknown.join(', ')}`);

  const refuse = (key: string): null => {
    note(`\`${key}\` of \`${name}\` is out of what evenkeel takes, and is left out`);
    return null;
  };
  const count = text(deploy['replicas'] ?? raw['scale']);
  const memory = text(limits['memory'] ?? raw['mem_limit']);
  const cpu = text(limits['cpus'] ?? raw['cpus']);
  const grace = text(raw['stop_grace_period']);
  const stop = grace === null ? null : durationOf(grace);
  return {
    instances: count === null || count === '1' ? null : (instancesOf(count) ?? refuse('replicas')),
    memory: memory === null ? null : (memoryOf(memory) ?? refuse('memory')),
    cpu: cpu === null ? null : (cpuOf(cpu) ?? refuse('cpus')),
    stopGrace: grace === null ? null : stop === null || stop > 3_600_000 ? refuse('stop_grace_period') : written(stop),
  };
}

function instancesOf(text: string): number | null {
  const count = Number(text);
  return Number.isInteger(count) && count >= 1 && count <= 100 ? count : null;
}

/** `512M`, `1gb`, `1073741824`: compose counts in steps of 1024 whatever it calls them. */
function memoryOf(text: string): string | null {
  const match = /^(\d+(?:\.\d+)?)\s*([bkmg]?)i?b?$/i.exec(text);
  if (match === null || Number(match[1]) === 0) return null;
  const unit = (match[2] ?? '').toLowerCase();
  if (unit === '' || unit === 'b') return `${Math.max(1, Math.ceil(Number(match[1]) / 1024))}Ki`;
  return `${match[1]}${unit.toUpperCase()}i`;
}

function cpuOf(text: string): string | null {
  const cores = Number(text);
  return Number.isFinite(cores) && cores >= 0.05 && cores <= 256 ? String(cores) : null;
}
