/** What texts of a format look like. Requests may be laxer than replies: proto3's JSON reads several forms and writes one. */
interface Format {
  request: (value: unknown) => boolean;
  reply: (value: unknown) => boolean;
  /** How Google names the type in a complaint. */
  type: string;
}

const timestamp = (value: unknown): boolean =>
  typeof value === 'string' &&
  /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$/.test(value) &&
  !Number.isNaN(Date.parse(value));

const whole =
  (low: bigint, high: bigint, forms: readonly ('number' | 'string')[]) =>
  (value: unknown): boolean => {
    if (typeof value === 'number' && forms.includes('number'))
      return Number.isInteger(value) && BigInt(value) >= low && BigInt(value) <= high;
    if (typeof value !== 'string' || !forms.includes('string') || !/^-?\d+$/.test(value)) return false;
    return BigInt(value) >= low && BigInt(value) <= high;
  };

const wholes = (low: bigint, high: bigint, written: 'number' | 'string', type: string): Format => ({
  request: whole(low, high, ['number', 'string']),
  reply: whole(low, high, [written]),
  type,
});

const both = (matches: (value: unknown) => boolean, type: string): Format => ({
  request: matches,
  reply: matches,
  type,
});

const text =
  (pattern: RegExp) =>
  (value: unknown): boolean =>
    typeof value === 'string' && pattern.test(value);

const real = (value: unknown): boolean =>
  typeof value === 'number' || value === 'NaN' || value === 'Infinity' || value === '-Infinity';

/** Base64 that is what encoding its bytes gives again, so that equal bytes are equal texts. */
const canonical = (value: unknown): boolean =>
  typeof value === 'string' && Buffer.from(value, 'base64').toString('base64') === value;

const FORMATS: Record<string, Format> = {
  int32: wholes(-(2n ** 31n), 2n ** 31n - 1n, 'number', 'TYPE_INT32'),
  uint32: wholes(0n, 2n ** 32n - 1n, 'number', 'TYPE_UINT32'),
  int64: wholes(-(2n ** 63n), 2n ** 63n - 1n, 'string', 'TYPE_INT64'),
  uint64: wholes(0n, 2n ** 64n - 1n, 'string', 'TYPE_UINT64'),
  double: {
    request: (value) => real(value) || (typeof value === 'string' && value !== '' && !Number.isNaN(Number(value))),
    reply: real,
    type: 'TYPE_DOUBLE',
  },
  float: {
    request: (value) => real(value) || (typeof value === 'string' && value !== '' && !Number.isNaN(Number(value))),
    reply: real,
    type: 'TYPE_FLOAT',
  },
  byte: { request: text(/^[A-Za-z0-9+/_-]*={0,2}$/), reply: canonical, type: 'TYPE_BYTES' },
  'google-datetime': both(timestamp, 'google.protobuf.Timestamp'),
  'date-time': both(timestamp, 'google.protobuf.Timestamp'),
  'google-duration': both(text(/^-?\d+(\.\d{1,9})?s$/), 'google.protobuf.Duration'),
  'google-fieldmask': both(text(/^([a-zA-Z0-9_.*`/-]+(,[a-zA-Z0-9_.*`/-]+)*)?$/), 'google.protobuf.FieldMask'),
  date: both(text(/^\d{4}-\d{2}-\d{2}$/), 'TYPE_STRING'),
};

/** What a value of the type (and format, where it has one) has to be; undefined: anything. */
export function formatOf(type: string | undefined, format: string | undefined): Format | undefined {
  const known = format === undefined ? undefined : FORMATS[format];
  if (known !== undefined) return known;
  switch (type) {
    case 'string':
      return both((value) => typeof value === 'string', 'TYPE_STRING');
    case 'boolean':
      return both((value) => typeof value === 'boolean', 'TYPE_BOOL');
    case 'integer':
      return wholes(-(2n ** 53n), 2n ** 53n, 'number', 'TYPE_INT64');
    case 'number':
      return FORMATS['double'];
    case undefined:
    default:
      return undefined;
  }
}
