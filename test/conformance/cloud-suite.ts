import { describe, expect, test } from 'vitest';
import {
  addressOf,
  isOwn,
  type Address,
  type Desired,
  type Kind,
  type Observed,
} from '../../src/domain/cloud/resource.ts';
import { observe } from '../../src/engine/cloud/observe.ts';
import type { Cloud } from '../../src/ports/cloud.ts';
import { bucketSample, instanceSample, samples, SCOPE, secretSample } from '../support/cloud/samples.ts';

/** A provider with nothing in it yet, and how to be rid of it. */
export interface OpenedCloud {
  cloud: Cloud;
  close(): Promise<void>;
}

const signal = new AbortController().signal;
const quietly = (): void => {};

/** What every driver of a cloud does, the one in memory included. */
export function cloudSuite(name: string, open: () => Promise<OpenedCloud>): void {
  const withCloud = (title: string, body: (cloud: Cloud) => Promise<void>): void => {
    test(title, async () => {
      const { cloud, close } = await open();
      try {
        await body(cloud);
      } finally {
        await close();
      }
    });
  };

  describe(`cloud: ${name}`, () => {
    withCloud('knows the project before anything is asked of it', async (cloud) => {
      const { projectNumber } = await cloud.greet(signal);
      expect(projectNumber).toMatch(/^\d+$/);
    });

    withCloud('shows what it made, as it was asked for, and labelled', async (cloud) => {
      await createAll(cloud, samples());
      for (const resource of samples()) {
        const seen = await find(cloud, resource);
        expect(seen.attributes, addressOf(resource)).toEqual(resource.attributes);
        expect(seen.state, addressOf(resource)).toBe('ready');
        if (LABELLED.has(resource.kind)) expect(isOwn(seen.labels, SCOPE), addressOf(resource)).toBe(true);
      }
    });

    withCloud('making what is there already changes nothing, also when two do it at once', async (cloud) => {
      const bucket = bucketSample();
      await Promise.all([cloud.create(bucket, quietly, signal), cloud.create(bucket, quietly, signal)]);
      await cloud.create(bucket, quietly, signal);
      const { observed } = await look(cloud, ['bucket']);
      expect(observed.map(({ name }) => name)).toEqual([bucket.name]);
    });

    withCloud('brings what differs to what is asked', async (cloud) => {
      await createAll(cloud, [apiOf('sqladmin'), bucketSample('chat-staging-media', 7), instanceSample()]);
      for (const changed of [
        bucketSample('chat-staging-media', 30),
        bucketSample('chat-staging-media', null),
        instanceSample('chat-staging-main', 'db-custom-1-3840'),
      ]) {
        await cloud.update(changed, await find(cloud, changed), quietly, signal);
        expect((await find(cloud, changed)).attributes).toEqual(changed.attributes);
      }
    });

    withCloud('what is removed is gone, and removing it again is no error', async (cloud) => {
      const bucket = bucketSample();
      const made = await cloud.create(bucket, quietly, signal);
      await cloud.remove(made, quietly, signal);
      await cloud.remove(made, quietly, signal);
      expect((await look(cloud, ['bucket'])).observed).toEqual([]);
    });

    withCloud('property 5: a secret exists without a value until it is given one', async (cloud) => {
      const secret = secretSample('jwt-secret');
      await createAll(cloud, [apiOf('secretmanager'), secret]);
      expect((await find(cloud, secret)).hasValue).toBe(false);
      await cloud.setSecret('jwt-secret', 'a value that nobody sees', signal);
      const seen = await find(cloud, secret);
      expect(seen.hasValue).toBe(true);
      expect(JSON.stringify(seen)).not.toContain('a value that nobody sees');
    });

    withCloud('a database rests and wakes, and says so', async (cloud) => {
      const instance = instanceSample();
      await createAll(cloud, [apiOf('sqladmin'), instance]);
      await cloud.setRunning(await find(cloud, instance), false, quietly, signal);
      expect((await find(cloud, instance)).state).toBe('stopped');
      await cloud.setRunning(await find(cloud, instance), true, quietly, signal);
      expect((await find(cloud, instance)).state).toBe('ready');
    });

    withCloud('with its instance go databases and users', async (cloud) => {
      await createAll(cloud, samples());
      await cloud.remove(await find(cloud, instanceSample()), quietly, signal);
      const { observed } = await look(cloud, ['sql-instance', 'sql-database', 'sql-user']);
      expect(observed.map(addressOf)).toEqual([]);
    });

    withCloud('a kind of which there is nothing is known to be empty', async (cloud) => {
      const { observed, unknown } = await look(cloud, ['bucket', 'service', 'sql-instance', 'cluster']);
      expect([...observed, ...unknown]).toEqual([]);
    });
  });
}

/** Those that can bear labels at all. */
const LABELLED: ReadonlySet<Kind> = new Set(['repository', 'bucket', 'sql-instance', 'secret']);

const apiOf = (name: string): Desired => {
  const found = samples().find((each) => each.kind === 'api' && each.name.startsWith(name));
  if (found === undefined) throw new Error(`no sample of the API ${name}`);
  return found;
};

async function createAll(cloud: Cloud, resources: readonly Desired[]): Promise<void> {
  const made = new Set<Address>();
  const open = new Set(resources);
  while (open.size > 0) {
    for (const resource of open) {
      if (resource.needs.some((need) => !made.has(need) && resources.some((each) => addressOf(each) === need)))
        continue;
      await cloud.create(resource, quietly, signal);
      made.add(addressOf(resource));
      open.delete(resource);
    }
  }
}

const look = (cloud: Cloud, kinds: readonly Kind[]) => observe(cloud, kinds, { deadlineMs: 30_000, signal });

async function find(cloud: Cloud, resource: Desired): Promise<Observed> {
  const { observed, unknown } = await look(cloud, [resource.kind]);
  const found = observed.find((each) => addressOf(each) === addressOf(resource));
  if (found === undefined)
    throw new Error(`${addressOf(resource)} is not there: ${JSON.stringify({ observed, unknown })}`);
  return found;
}
