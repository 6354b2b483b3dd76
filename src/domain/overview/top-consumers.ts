/** One instance, and what it took last. */
export interface Consumer {
  project: string;
  environment: string;
  service: string;
  instance: string;
  release: string;
  /** Cores; null: not measured yet. */
  cpu: number | null;
  /** Bytes; null: not measured. */
  memory: number | null;
  /** Limits of one instance; null: none. */
  cpuLimit: number | null;
  memoryLimit: number | null;
}

/** Those that take most, the first of them first. What was not measured is not among them. */
export function topConsumers(all: readonly Consumer[], count: number): { cpu: Consumer[]; memory: Consumer[] } {
  const top = (of: 'cpu' | 'memory'): Consumer[] =>
    all
      .filter((each) => (each[of] ?? 0) > 0)
      .toSorted((a, b) => (b[of] ?? 0) - (a[of] ?? 0) || (a.instance < b.instance ? -1 : 1))
      .slice(0, count);
  return { cpu: top('cpu'), memory: top('memory') };
}
