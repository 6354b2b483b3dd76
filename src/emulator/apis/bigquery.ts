import { findTable } from '../bigquery/export-table.ts';
import type { ExportTable } from '../bigquery/export-table.ts';
import { evaluate } from '../bigquery/evaluate.ts';
import { parseSql } from '../bigquery/parse.ts';
import { refuseSql, wrongSql } from '../bigquery/refuse-sql.ts';
import { cellOf } from '../bigquery/values.ts';
import type { Type, Value } from '../bigquery/values.ts';
import type { Api, Call } from '../core/api.ts';
import { etagOf } from '../core/etag.ts';
import { invalid, notFound, notModelled } from '../core/google-error.ts';
import type { World } from '../core/world.ts';
import { listAt, made, objectsAt, textAt } from '../json.ts';
import type { Json, JsonObject } from '../json.ts';

/** Where all data is. */
const LOCATION = 'EU';
/** Less is not billed. */
const LEAST_BYTES = 10 * 2 ** 20;

const jobs = (world: World) => world.state.table('bigquery.jobs');

/** Queries over the tables of billing exports, which the emulator's own endpoint fills. */
export const bigquery: Api = {
  document: 'bigquery.v2',
  errors: 'reasons',
  handlers: {
    'bigquery.jobs.query': (call, world) => {
      const project = call.at('projectId');
      const requestId = textAt(call.body, 'requestId') ?? '';
      // The same request again is the same job.
      const before =
        requestId === ''
          ? undefined
          : jobs(world)
              .list(`${project}/`)
              .find((job) => job['requestId'] === requestId);
      const job = before ?? begin(call, world, { project, requestId });
      const { maxResults } = call.body;
      return { kind: 'bigquery#queryResponse', ...answer(world, job, { start: 0, size: sizeOf(maxResults) }) };
    },
    'bigquery.jobs.getQueryResults': (call, world) => {
      const [project, id] = [call.at('projectId'), call.at('jobId')];
      const job = jobs(world).get(`${project}/${id}`);
      // A job is known where it ran, and elsewhere by whoever does not say where.
      if (job === undefined || (call.query('location') ?? LOCATION) !== LOCATION)
        throw notFound(`Not found: Job ${project}:${id}`);
      const start = Number(call.query('pageToken') ?? call.query('startIndex') ?? 0);
      if (!Number.isInteger(start)) throw invalid('Invalid page token');
      const page = answer(world, job, { start, size: sizeOf(call.query('maxResults') ?? null) });
      return { kind: 'bigquery#getQueryResultsResponse', ...page, etag: etagOf(page) };
    },
  },
};

const sizeOf = (given: Json | undefined): number => (given === undefined || given === null ? Infinity : Number(given));

function begin(
  { body }: Call,
  world: World,
  { project, requestId }: { project: string; requestId: string },
): JsonObject {
  if (body['useLegacySql'] !== false)
    throw notModelled('legacy SQL, which is what a query is without useLegacySql: false');
  const query = textAt(body, 'query') ?? '';
  let bytes = 0;
  let late = 0;
  const table = (id: string): ExportTable => {
    const found = findTable(world, id, LOCATION);
    bytes += found.bytes;
    late = Math.max(late, found.late);
    return found;
  };
  const { columns, rows } = evaluate(parseSql(query), { table, parameters: parametersOf(body) });
  const billed = Math.max(LEAST_BYTES, bytes);
  const most = Number(textAt(body, 'maximumBytesBilled') ?? Infinity);
  if (billed > most)
    throw invalid(`Query exceeded limit for bytes billed: ${most}. ${billed} or higher required.`, [], {
      reason: 'bytesBilledLimitExceeded',
    });
  const id = `job_${String(world.state.next()).padStart(8, '0')}`;
  const fields = Object.entries(columns).map(([name, type]) => ({ name, type: plain(type), mode: 'NULLABLE' }));
  const cells = rows.map((row) => ({ f: fields.map(({ name }) => ({ v: cellOf(row[name] ?? null) })) }));
  return jobs(world).set(`${project}/${id}`, {
    project,
    id,
    requestId,
    query,
    most: String(most),
    fields,
    rows: cells,
    bytes,
    late,
  });
}

const plain = (type: Type): string => {
  if (typeof type === 'string') return type;
  throw refuseSql('lists and structs in the answer');
};

function answer(world: World, job: JsonObject, { start, size }: { start: number; size: number }): JsonObject {
  const [project, jobId] = [textAt(job, 'project') ?? '', textAt(job, 'id') ?? ''];
  const jobReference = { projectId: project, jobId, location: LOCATION };
  const late = Number(job['late'] ?? 0);
  if (late > 0) {
    jobs(world).set(`${project}/${jobId}`, { ...job, late: late - 1 });
    return { jobReference, jobComplete: false };
  }
  const rows = listAt(job, 'rows');
  const end = Math.min(rows.length, start + size);
  return made({
    schema: { fields: listAt(job, 'fields') },
    jobReference,
    totalRows: String(rows.length),
    ...(end > start ? { rows: rows.slice(start, end) } : {}),
    pageToken: end < rows.length ? String(end) : undefined,
    totalBytesProcessed: String(Number(job['bytes'])),
    jobComplete: true,
    cacheHit: false,
  });
}

function parametersOf(body: JsonObject): Map<string, { type: Type; value: Value }> {
  const given = objectsAt(body, 'queryParameters');
  if (given.length > 0 && textAt(body, 'parameterMode') !== 'NAMED') throw notModelled('parameters without names');
  return new Map(
    given.map((each): [string, { type: Type; value: Value }] => {
      const [type, text] = [textAt(each, 'parameterType.type') ?? '', textAt(each, 'parameterValue.value') ?? null];
      const name = textAt(each, 'name') ?? '';
      if (type === 'STRING') return [name, { type, value: text }];
      if (type !== 'TIMESTAMP') throw notModelled(`parameters of the type ${type}`);
      if (text !== null && Number.isNaN(Date.parse(text))) throw wrongSql(`Invalid value for the parameter ${name}`);
      return [name, { type, value: text === null ? null : new Date(text) }];
    }),
  );
}
