import { describe, expect, it } from 'vitest';
import type { EdgeInstanceHealth } from '../../src/domain/traffic/protocol.ts';
import { HealthMemory } from '../../src/engine/health-memory.ts';

const seen = (healthy: boolean): EdgeInstanceHealth[] => [
  { id: 'a', healthy, consecutive: 0, checks: 2, lastError: null, inFlight: 0, ejected: false },
];

describe('the memory of health', () => {
  it('knows since when an instance is as it is, and whether it ever was healthy', () => {
    const memory = new HealthMemory();
    memory.update([], 50);
    memory.update(seen(false), 100);
    memory.update(seen(false), 200);
    expect(memory.of('a')).toMatchObject({ healthy: false, since: 100, everHealthy: false });
    memory.update(seen(true), 300);
    memory.update(seen(false), 400);
    expect(memory.of('a')).toMatchObject({ healthy: false, since: 400, everHealthy: true });
  });

  it('holds nothing against an instance that was there before it looked for the first time', () => {
    const memory = new HealthMemory();
    memory.update(seen(false), 100);
    expect(memory.of('a')).toMatchObject({ healthy: false, everHealthy: true });
  });

  it('forgets who is gone', () => {
    const memory = new HealthMemory();
    memory.update(seen(true), 100);
    memory.update([], 200);
    expect(memory.of('a')).toBeNull();
  });

  it('has nothing in the future after a clock that was set back', () => {
    const memory = new HealthMemory();
    memory.update(seen(false), 5000);
    memory.update(seen(false), 100);
    expect(memory.of('a')?.since).toBe(100);
  });
});
