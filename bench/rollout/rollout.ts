import type { Bench, Row } from '../report/row.ts';
export async function rolloutRows(_: Bench): Promise<Row[]> { return []; }
