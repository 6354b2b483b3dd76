import { scale, scaleOf } from '../../engine/operations/scale.ts';
import type { ApiDeps } from '../api-deps.ts';
import type { Handlers } from '../call.ts';

export function scaleHandlers({ engine }: ApiDeps): Pick<Handlers, 'getScale' | 'setScale'> {
  return {
    getScale: (input) => scaleOf(engine, input),
    setScale: (input, { who }) => scale(engine, { ...input, by: who.name }),
  };
}
