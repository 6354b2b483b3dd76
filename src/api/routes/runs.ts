import { cancelRun, runNow } from '../../engine/operations/run-now.ts';
import { EvenkeelError } from '../../ports/errors.ts';
import type { ApiDeps } from '../api-deps.ts';
import type { Handlers } from '../call.ts';
import { runView } from '../views/run-view.ts';
import { pageOf } from './page.ts';

export function runHandlers({ engine }: ApiDeps): Pick<Handlers, 'startRun' | 'cancelRun' | 'listRuns' | 'getRun'> {
  const { store } = engine.deps;
  return {
    startRun: async (input, { who }) => runView(await runNow(engine, { ...input, by: who.name })),

    cancelRun: async (input, { who }) => runView(await cancelRun(engine, { ...input, by: who.name })),

    async listRuns({ service, before, limit, ...scope }) {
      const runs = await store.runs({
        ...scope,
        limit: limit + 1,
        ...(service === undefined ? {} : { service }),
        ...(before === undefined ? {} : { before: cursorOf(before) }),
      });
      const { page, next } = pageOf(runs, limit, (last) => `${last.dueAt}.${last.service}`);
      return { runs: page.map(runView), next };
    },

    async getRun({ service, dueAt, ...scope }) {
      const runs = await store.runs({ ...scope, service, limit: 500 });
      const run = runs.find((each) => each.dueAt === dueAt);
      if (run !== undefined) return runView(run);
      throw new EvenkeelError({
        code: 'run-unknown',
        what: `there is no such run of ${service}`,
        next: 'evenkeel run --list',
      });
    },
  };
}

function cursorOf(text: string): { dueAt: number; service: string } {
  const [dueAt = '', service = ''] = text.split('.');
  if (/^\d+$/.test(dueAt) && service !== '') return { dueAt: Number(dueAt), service };
  throw new EvenkeelError({ code: 'bad-request', what: 'the request cannot be read', why: 'before: what `next` said' });
}
