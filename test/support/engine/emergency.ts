import type { Known, LastKnown, Unwritten, UnwrittenRequest } from '../../../src/ports/emergency.ts';

/** What the files in the home hold for the time in which the store is away. */
export function emergencyInMemory(): { unwritten: Unwritten; lastKnown: LastKnown } {
  let requests: UnwrittenRequest[] = [];
  const known = new Map<string, Known>();
  const nameOf = ({ project, environment }: { project: string; environment: string }): string =>
    `${project}/${environment}`;
  return {
    unwritten: {
      of: (scope) => requests.filter((each) => nameOf(each) === nameOf(scope)),
      async add(request) {
        requests = [...requests, request];
      },
      async remove(ids) {
        requests = requests.filter(({ id }) => !ids.includes(id));
      },
    },
    lastKnown: {
      keep: (each) => void known.set(nameOf(each.record), each),
      of: (scope) => known.get(nameOf(scope)) ?? null,
      all: () => [...known.values()],
    },
  };
}
