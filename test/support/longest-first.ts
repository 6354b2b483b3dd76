import { BaseSequencer } from 'vitest/node';
import type { TestSpecification } from 'vitest/node';

/** Minutes of work or of waiting, in files of a few lines: begun last, one of them would run alone at the end. */
const LONGEST = ['simulation/histories-', 'wide/features-releases', 'conformance/store-postgres'];

/** Vitest begins with the largest files; here with those that take longest, and ends with those that take nothing. */
export default class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    // oxlint-disable-next-line unicorn/no-array-sort -- a method of the sequencer, which returns an array of its own
    const sorted = await super.sort(files);
    const [long, others] = [sorted.filter(isLong), sorted.filter((each) => !isLong(each))];
    const of = (name: string): TestSpecification[] => others.filter(({ project }) => project.name === name);
    const heavy = spread(of('browser'), of('process'));
    return [...long, ...heavy, ...others.filter((each) => !heavy.includes(each))];
  }
}

const isLong = ({ moduleId }: TestSpecification): boolean => LONGEST.some((name) => moduleId.includes(`/test/${name}`));

/** The few evenly among the many: browsers all at once would be more than the machine can carry. */
function spread<T>(few: readonly T[], many: readonly T[]): T[] {
  const step = many.length / (few.length + 1);
  return [...many, ...few]
    .map((each, index) => ({ each, at: index < many.length ? index : (index - many.length + 1) * step }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ each }) => each);
}
