import { randomUUID } from 'node:crypto';
import type { Api } from '../core/api.ts';
import { collection } from '../core/collection.ts';
import { etagOf } from '../core/etag.ts';
import { badState, invalid } from '../core/google-error.ts';
import { listAt, at, made, objectAt, textAt, textsAt } from '../json.ts';
import type { JsonObject } from '../json.ts';

export const billingbudgets: Api = {
  document: 'billingbudgets.v1',
  handlers: collection({
    methods: 'billingbudgets.billingAccounts.budgets',
    table: 'billingbudgets.budgets',
    list: 'budgets',
    parent: 'parent',
    name: 'name',
    nameOf: (call) => `${call.at('parent')}/budgets/${randomUUID()}`,
    kept: (given, world, call, before) => {
      const asked = textAt(call.body, 'etag');
      if (before !== null && asked !== undefined && asked !== '' && asked !== before['etag'])
        throw badState('The etag does not match the current etag.');
      if (at(given, 'amount.specifiedAmount') === undefined && at(given, 'amount.lastPeriodAmount') === undefined)
        throw invalid('The amount of a budget is required.');
      for (const rule of listAt(given, 'thresholdRules'))
        if (Number(at(rule, 'thresholdPercent') ?? 0) <= 0) throw invalid('A threshold is larger than 0.');
      const projects = textsAt(given, 'budgetFilter.projects').map((name) => {
        const { number } = world.projects.find(name.replace(/^projects\//, ''));
        return `projects/${number}`;
      });
      const { etag: _, ...rest } = given;
      const budgetFilter: JsonObject = {
        calendarPeriod: 'MONTH',
        creditTypesTreatment: 'INCLUDE_ALL_CREDITS',
        ...objectAt(given, 'budgetFilter'),
        ...made({ projects: projects.length === 0 ? undefined : projects }),
      };
      const budget = { ...rest, budgetFilter };
      return { ...budget, etag: etagOf(budget) };
    },
  }),
};
