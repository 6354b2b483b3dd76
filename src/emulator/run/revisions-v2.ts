import type { Api } from '../core/api.ts';
import { badState, notFound } from '../core/google-error.ts';
import { render } from '../core/operations.ts';
import { page } from '../core/pages.ts';
import { made } from '../json.ts';
import type { Engine } from './engine.ts';
import { parentName, placeOf, shortName } from './names.ts';
import { asJson } from './rows.ts';
import { findService, SERVICES, sizes } from './services-v2.ts';
import type { Revision } from './shapes.ts';

export function revisionsV2(engine: () => Engine): Api['handlers'] {
  const ROOT = `${SERVICES}.revisions`;
  return {
    [`${ROOT}.get`]: (call) => asJson(findRevision(engine(), call.at('name'))),
    [`${ROOT}.list`]: (call) => {
      // `-` is any service.
      const anyService = call.at('parent').endsWith('/services/-');
      const prefix = anyService ? call.at('parent').slice(0, -1) : `${call.at('parent')}/revisions/`;
      const newestFirst = ({ createTime, name }: Revision) => `${9e15 - Date.parse(createTime)} ${name}`;
      const { entries, nextPageToken } = page(engine().tables.revisions.list(prefix), newestFirst, sizes(call));
      return made({ revisions: entries.map(asJson), nextPageToken });
    },
    [`${ROOT}.delete`]: async (call) => {
      const revision = findRevision(engine(), call.at('name'));
      removeRevision(engine(), revision);
      const response = { '@type': 'type.googleapis.com/google.cloud.run.v2.Revision', ...asJson(revision) };
      const name = `${parentName(placeOf(revision.name))}/operations/{id}`;
      return render(
        await engine().world.operations.start({ api: 'run', name, takes: 0, metadata: response, response }),
      );
    },
  };
}

export function findRevision(engine: Engine, name: string): Revision {
  const found = engine.tables.revisions.get(name);
  if (found === undefined) throw notFound(`Revision '${shortName(name)}' was not found.`);
  return found;
}

/** Throws 400 for one that traffic or a tag names, and for the latest. */
export function removeRevision(engine: Engine, revision: Revision): void {
  const service = findService(engine, revision.name.replace(/\/revisions\/[^/]+$/, ''));
  const short = shortName(revision.name);
  const named = [...service.traffic, ...(service.trafficStatuses ?? [])].some((target) => target.revision === short);
  if (named) throw badState(`The revision '${short}' cannot be deleted: traffic or a tag is assigned to it.`);
  if (service.latestCreatedRevision === revision.name)
    throw badState(`The revision '${short}' cannot be deleted: it is the latest of its service.`);
  engine.tables.revisions.delete(revision.name);
  engine.drop(revision.name);
}
