import type { ApiDeps } from '../api-deps.ts';
import type { Handlers } from '../call.ts';
import { seriesOf } from '../overview/series.ts';

export function seriesHandlers(deps: ApiDeps): Pick<Handlers, 'getSeries'> {
  return { getSeries: (asked, call) => seriesOf(deps, asked, call.signal) };
}
