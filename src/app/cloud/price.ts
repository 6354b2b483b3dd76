import { formatPrice } from '../../domain/cloud/price/cost.ts';
import { estimate, type Estimate } from '../../domain/cloud/price/estimate.ts';
import type { Desired, Observed } from '../../domain/cloud/resource.ts';

export const priceView = ({ low, high }: { low: number; high: number | null }) => ({
  low,
  high,
  text: formatPrice({ low, high }),
});

export const estimated = (resources: readonly (Desired | Observed)[], region: string): Estimate =>
  estimate(resources, region);
