import { rounded } from '../../domain/overview/traffic.ts';
import type { InstanceSample } from '../../ports/store.ts';

interface Columns {
  cpu: (number | null)[];
  memory: (number | null)[];
  memoryMax: (number | null)[];
}

interface Line {
  instance: string;
  release: string;
  lastAt: number;
  cells: (Cell | undefined)[];
}

/** Sums of the samples of one piece. */
interface Cell {
  samples: number;
  cpu: number;
  memory: number;
  memoryMax: number;
}

/** What instances took, put together from samples that come in any order. */
export class UsageColumns {
  readonly #count: number;
  readonly #lines = new Map<string, Line>();

  /** @param count pieces */
  constructor(count: number) {
    this.#count = count;
  }

  /** @param bucket null: it lies outside. */
  add(bucket: number | null, { instance, release, at, cpu, memory, memoryMax }: InstanceSample): void {
    if (bucket === null) return;
    const line = this.#lines.get(instance) ?? { instance, release, lastAt: at, cells: [] };
    this.#lines.set(instance, line);
    line.lastAt = Math.max(line.lastAt, at);
    const cell = (line.cells[bucket] ??= { samples: 0, cpu: 0, memory: 0, memoryMax: 0 });
    cell.samples++;
    cell.cpu += cpu;
    cell.memory += memory;
    cell.memoryMax = Math.max(cell.memoryMax, memoryMax ?? memory);
  }

  releaseIds(): Set<string> {
    return new Set([...this.#lines.values()].map(({ release }) => release));
  }

  /** Those that were seen last, the newest last. */
  instances(most: number): { instances: ({ instance: string; release: string } & Columns)[]; leftOut: number } {
    const all = [...this.#lines.values()].toSorted((a, b) => a.lastAt - b.lastAt || (a.instance < b.instance ? -1 : 1));
    return {
      instances: all.slice(-most).map((line) => ({
        instance: line.instance,
        release: line.release,
        ...this.#columns((bucket) => averageOf(line.cells[bucket])),
      })),
      leftOut: Math.max(0, all.length - most),
    };
  }

  /** Of all instances of a release together; the highest is that of one of them. */
  release(id: string): Columns {
    const lines = [...this.#lines.values()].filter(({ release }) => release === id);
    return this.#columns((bucket) => {
      const cells = lines.flatMap(({ cells: all }) => averageOf(all[bucket]) ?? []);
      if (cells.length === 0) return null;
      return {
        cpu: cells.reduce((sum, each) => sum + each.cpu, 0),
        memory: cells.reduce((sum, each) => sum + each.memory, 0),
        memoryMax: Math.max(...cells.map(({ memoryMax }) => memoryMax)),
      };
    });
  }

  #columns(of: (bucket: number) => Omit<Cell, 'samples'> | null): Columns {
    const cells = Array.from({ length: this.#count }, (_, bucket) => of(bucket));
    return {
      cpu: cells.map((each) => rounded(each?.cpu)),
      memory: cells.map((each) => (each === null ? null : Math.round(each.memory))),
      memoryMax: cells.map((each) => (each === null ? null : Math.round(each.memoryMax))),
    };
  }
}

const averageOf = (cell: Cell | undefined): Omit<Cell, 'samples'> | null =>
  cell === undefined
    ? null
    : { cpu: cell.cpu / cell.samples, memory: cell.memory / cell.samples, memoryMax: cell.memoryMax };
