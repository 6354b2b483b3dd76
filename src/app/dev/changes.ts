import { relative } from 'node:path';
import type { Project } from '../../domain/project/project.ts';
import type { Say } from './events.ts';
import { concernedBy, ownersOf, within, type Planned } from './plan.ts';
import type { DevService } from './service.ts';
import { watchSources } from './watch.ts';

const PROJECT_FILE = 'evenkeel.yaml';

/** Starts the services anew whose files change, and says which file it was. `home` is where evenkeel keeps its state. */
export async function watchFor(
  planned: readonly Planned[],
  services: ReadonlyMap<string, DevService>,
  { project, home, say }: { project: Project; home: string; say: Say },
): Promise<{ close(): void }> {
  const owners = ownersOf(planned);
  const changed = (paths: string[]): void => {
    const own = paths.find((path) => path === PROJECT_FILE || /^\.env(\.[^/]*)?$/.test(path));
    if (own !== undefined) {
      const text = `${own} changed; evenkeel reads it when \`evenkeel dev\` is started again`;
      say({ type: 'note', service: null, text });
    }
    const sources = paths.filter((path) => path !== PROJECT_FILE);
    for (const [name, service] of services) {
      const [first, ...more] = sources.filter((path) => concernedBy(path, owners).includes(name));
      if (first === undefined || service.state === 'waiting') continue;
      if (service.filesChanged()) {
        const others = more.length === 0 ? '' : ` and ${more.length} more`;
        say({ type: 'changed', service: name, text: `${first}${others} changed; ${name} starts anew` });
      }
    }
  };
  return watchSources(project.root, {
    leaveOut: [
      relative(project.root, home),
      ...planned.flatMap(({ config }) => config.data.map((folder) => within(config.dir, folder))),
    ],
    onChange: changed,
    onProblem: (why) => say({ type: 'note', service: null, text: `not every change is seen: ${why}` }),
  });
}
