import { made, textAt } from '../json.ts';
import type { JsonObject } from '../json.ts';
import type { Call, Handler } from './api.ts';
import { filterOf } from './filter.ts';
import { notFound } from './google-error.ts';
import { masked } from './masks.ts';
import { paged } from './paged.ts';
import type { World } from './world.ts';

export interface Collection {
  /** What all its methods' ids begin with: `monitoring.projects.alertPolicies`. */
  methods: string;
  table: string;
  /** Field of the list in a list's reply. */
  list: string;
  /** Path parameters: of `create` and `list`, and of the others. */
  parent: string;
  name: string;
  /** The whole name of a new one. */
  nameOf: (call: Call, world: World) => string;
  /** What is kept of a body; throws 400. `before` is null for a new one. */
  kept: (given: JsonObject, world: World, call: Call, before: JsonObject | null) => JsonObject;
  /** Throws when something that is there would be left without this one. */
  unused?: (name: string, call: Call, world: World) => void;
  /** How a row is answered, where that is not as it is kept. */
  shown?: (row: JsonObject) => JsonObject;
}

/** The five usual methods of a collection whose changes take no time. */
export function collection(of: Collection): Record<string, Handler> {
  const shown = of.shown ?? ((row: JsonObject) => row);
  const table = (world: World) => world.state.table(of.table);
  const find = (call: Call, world: World): JsonObject => {
    const row = table(world).get(call.at(of.name));
    if (row === undefined) throw notFound(`Could not find ${call.at(of.name)}.`);
    return row;
  };
  return {
    [`${of.methods}.create`]: (call, world) => {
      const name = of.nameOf(call, world);
      return shown(table(world).set(name, { ...of.kept({ ...call.body, name }, world, call, null), name }));
    },
    [`${of.methods}.get`]: (call, world) => shown(find(call, world)),
    [`${of.methods}.list`]: (call, world) => {
      const fits = filterOf(call.query('filter'));
      const all = table(world)
        .list(`${call.at(of.parent)}/`)
        .filter(fits);
      const { entries, nextPageToken } = paged(call, all);
      return made({ [of.list]: entries.map(shown), nextPageToken });
    },
    [`${of.methods}.patch`]: (call, world) => {
      const before = find(call, world);
      const name = textAt(before, 'name') ?? '';
      const after = masked(before, call.body, call.query('updateMask'));
      return shown(table(world).set(name, { ...of.kept({ ...after, name }, world, call, before), name }));
    },
    [`${of.methods}.delete`]: (call, world) => {
      find(call, world);
      of.unused?.(call.at(of.name), call, world);
      table(world).delete(call.at(of.name));
      return {};
    },
  };
}
