import { createHash } from 'node:crypto';
import { written } from '../json.ts';
import type { JsonObject } from '../json.ts';
import type { State, Table } from '../state/state.ts';
import { GoogleError } from './google-error.ts';

export interface Project {
  id: string;
  /** Twelve digits. */
  number: string;
  createdAt: number;
}

/** APIs that a new project has on. */
const ON_FROM_THE_START = [
  'cloudapis.googleapis.com',
  'cloudbilling.googleapis.com',
  'cloudresourcemanager.googleapis.com',
  'logging.googleapis.com',
  'monitoring.googleapis.com',
  'servicemanagement.googleapis.com',
  'serviceusage.googleapis.com',
  'storage-api.googleapis.com',
  'storage-component.googleapis.com',
  'storage.googleapis.com',
];

/** The cloud projects there are, and which APIs are on in each. */
export class Projects {
  private readonly table: Table;
  private readonly services: Table;
  private readonly now: () => number;
  /** Null: a project is made when it is first named. */
  private readonly only: readonly string[] | null;

  constructor(state: State, now: () => number, only: readonly string[] | null) {
    this.table = state.table('projects');
    this.services = state.table('serviceusage.services');
    this.now = now;
    this.only = only;
    for (const id of only ?? []) this.known(id);
  }

  /** By id or number. Throws what Google answers for a project that is not there or not the caller's: 403. */
  find(named: string): Project {
    const found = this.tryFind(named);
    if (found !== null) return found;
    throw new GoogleError(
      'PERMISSION_DENIED',
      `Permission denied on resource project ${named}, or it does not exist.`,
      {
        details: [
          {
            '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
            reason: 'CONSUMER_INVALID',
            domain: 'googleapis.com',
            metadata: { consumer: `projects/${named}` },
          },
        ],
      },
    );
  }

  tryFind(named: string): Project | null {
    if (/^\d+$/.test(named)) return this.all().find(({ number }) => number === named) ?? null;
    if (this.table.has(named)) return this.read(named);
    if (this.only !== null || !/^[a-z][a-z0-9-]{4,28}[a-z0-9]$/.test(named)) return null;
    return this.known(named);
  }

  all(): Project[] {
    return this.table.keys().map((id) => this.read(id));
  }

  isOn(project: Project, service: string): boolean {
    return this.services.has(`${project.id}/${service}`);
  }

  setOn(project: Project, service: string, on: boolean): void {
    if (on) this.services.set(`${project.id}/${service}`, {});
    else this.services.delete(`${project.id}/${service}`);
  }

  on(project: Project): string[] {
    return this.services.keys(`${project.id}/`).map((key) => key.slice(project.id.length + 1));
  }

  /** `projects/<number>/…` as `projects/<id>/…`; anything else as it is. */
  normal(name: string): string {
    return name.replace(/^projects\/(\d+)(?=\/|$)/, (all, number: string) => {
      const found = this.tryFind(number);
      return found === null ? all : `projects/${found.id}`;
    });
  }

  private known(id: string): Project {
    if (this.table.has(id)) return this.read(id);
    const digest = createHash('sha256').update(id).digest().readUIntBE(0, 5);
    const row: JsonObject = { id, number: String(100_000_000_000 + (digest % 900_000_000_000)), createdAt: this.now() };
    this.table.set(id, row);
    const project = this.read(id);
    for (const service of ON_FROM_THE_START) this.setOn(project, service, true);
    return project;
  }

  private read(id: string): Project {
    const row = this.table.get(id) ?? {};
    return { id, number: written(row['number']), createdAt: Number(row['createdAt']) };
  }
}
