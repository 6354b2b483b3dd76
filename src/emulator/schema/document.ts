import { readFileSync } from 'node:fs';

/** The part of a discovery document that the emulator reads. */
export interface Document {
  /** Such as `run.v2`: the file's name. */
  file: string;
  rootUrl: string;
  servicePath: string;
  parameters: Record<string, Parameter>;
  schemas: Record<string, Schema>;
  resources?: Record<string, Resource>;
  methods?: Record<string, Method>;
}

export interface Resource {
  methods?: Record<string, Method>;
  resources?: Record<string, Resource>;
}

export interface Method {
  /** Such as `run.projects.locations.services.create`; the same in several versions of an API. */
  id: string;
  httpMethod: string;
  /** Such as `v2/{+parent}/services`, relative to root and service path. */
  path: string;
  parameters?: Record<string, Parameter>;
  request?: { $ref: string };
  response?: { $ref: string };
  /** It is also found below `/download/`, where bytes are fetched. */
  useMediaDownloadService?: boolean;
  mediaUpload?: { protocols: Record<string, { path: string }> };
}

export interface Parameter extends Schema {
  location: 'path' | 'query';
  required?: boolean;
  repeated?: boolean;
  pattern?: string;
}

export interface Schema {
  $ref?: string;
  type?: string;
  format?: string;
  enum?: string[];
  properties?: Record<string, Schema>;
  additionalProperties?: Schema;
  items?: Schema;
  readOnly?: boolean;
}

const documents = new Map<string, Document>();

/** The discovery document of an API's version, such as `run.v2`. It is read once. */
export function documentOf(file: string): Document {
  const known = documents.get(file);
  if (known !== undefined) return known;
  const text = readFileSync(new URL(`../discovery/${file}.json`, import.meta.url), 'utf8');
  const document = { ...(JSON.parse(text) as Omit<Document, 'file'>), file };
  documents.set(file, document);
  return document;
}

/** Every method of a document. */
export function methodsOf(document: Document): Method[] {
  const below = (resource: Resource): Method[] => [
    ...Object.values(resource.methods ?? {}),
    ...Object.values(resource.resources ?? {}).flatMap(below),
  ];
  return below(document);
}
