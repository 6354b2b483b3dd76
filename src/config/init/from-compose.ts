import { noteImage } from './compose/image.ts';
import { resolved } from './compose/interpolate.ts';
import { noteTop } from './compose/keys.ts';
import { linkServices, waitsOf } from './compose/links.ts';
import { namesOf, quoted, scalarText } from './compose/model.ts';
import type { ComposeContext, Raw } from './compose/model.ts';
import { readCompose } from './compose/read.ts';
import { serviceOf } from './compose/service.ts';
import { emptyFindings, toName } from './draft.ts';
import type { DraftService, Findings } from './draft.ts';
import type { FolderReader } from './folder-reader.ts';

/**
 * Services whose programs are here, from the compose file of a folder and the files that it draws in; what only names an
 * image becomes a note. Nothing is dropped without a word: see `docs/adr/0017-imports-name-what-they-drop.md`.
 */
export async function fromCompose(reader: FolderReader): Promise<Findings> {
  const findings = emptyFindings();
  const project = await readCompose(reader);
  if (project === null) return findings;
  const { file, known, top } = project;
  findings.notes.push(...project.notes);
  const note = (text: string): void => void findings.notes.push(`${file}: ${text}`);
  const context: ComposeContext = { file, reader, known, findings, note };
  const name = scalarText(top['name']);
  if (name !== null) findings.project = toName(resolved(name, known));
  noteTop(top, context);

  const services = new Map<string, Raw>();
  for (const [each, raw] of withSharedBuilds(project.services)) {
    const profiles = namesOf(raw['profiles']);
    if (profiles.length === 0) services.set(each, raw);
    else
      note(
        `\`${each}\` belongs to ${profiles.length === 1 ? 'the profile' : 'the profiles'} ${quoted(profiles)} and is left out`,
      );
  }
  const drafts = new Map<string, DraftService>();
  const published = new Set<string>();
  const sharing: string[] = [];
  const owners = new Map<string, string>();
  for (const [each, raw] of services) {
    const found = await serviceOf({ name: each, raw }, context, owners);
    if (found === null) {
      if (raw['build'] === undefined) noteImage({ name: each, raw }, context);
      continue;
    }
    drafts.set(each, found.draft);
    if (found.published) published.add(each);
    else if (found.hasCommand) sharing.push(each);
  }
  // An image shared with a server exposes its port; where others publish theirs, a command of one's own is a worker.
  if (published.size > 0) for (const each of sharing) setRoutes(drafts.get(each), []);
  joinServices(services, drafts, context);
  for (const draft of drafts.values()) {
    if (draft.routes.length === 0 && draft.health !== null) {
      note(
        `\`${draft.name}\` has no routes, so its healthcheck (${draft.health}) is left out; \`check\` takes a command`,
      );
      draft.health = null;
    }
    draft.env = linkServices(draft, drafts, [...services.keys()], context);
  }
  findings.services.push(...drafts.values());
  return findings;
}

function setRoutes(draft: DraftService | undefined, routes: string[]): void {
  if (draft !== undefined) draft.routes = routes;
}

/** `image: app` beside a service that builds `app` runs that one's program. */
function withSharedBuilds(services: ReadonlyMap<string, Raw>): Map<string, Raw> {
  const builds = new Map<string, unknown>();
  for (const raw of services.values()) {
    const image = scalarText(raw['image']);
    if (image !== null && raw['build'] !== undefined) builds.set(image, raw['build']);
  }
  return new Map(
    [...services].map(([name, raw]) => {
      const build = raw['build'] === undefined ? builds.get(scalarText(raw['image']) ?? '') : undefined;
      return [name, build === undefined ? raw : { ...raw, build }];
    }),
  );
}

/** `depends_on` and `links`: whom to start after, and what has to have run before. */
function joinServices(
  services: ReadonlyMap<string, Raw>,
  drafts: Map<string, DraftService>,
  context: ComposeContext,
): void {
  const { note } = context;
  const jobs = new Map<string, DraftService>();
  for (const [name, draft] of drafts) {
    const waits = waitsOf(services.get(name) ?? {});
    draft.after = waits.after.flatMap((other) => drafts.get(other)?.name ?? []);
    const elsewhere = [...waits.after, ...waits.completed].filter((other) => !drafts.has(other));
    if (elsewhere.length > 0) note(`\`${draft.name}\` does not wait for ${quoted(elsewhere)} here`);
    for (const other of waits.completed) {
      const job = drafts.get(other);
      if (job === undefined) continue;
      const first = jobs.get(other);
      if (first === undefined) becomeMigration(job, draft, context);
      else if (first !== draft) draft.after.push(first.name);
      jobs.set(other, first ?? draft);
    }
  }
  for (const name of jobs.keys()) drafts.delete(name);
  const known = new Set([...drafts.values()].map(({ name }) => name));
  for (const draft of drafts.values()) draft.after = draft.after.filter((name) => known.has(name));
}

/** A service that runs once, before another starts, is what `migrate` is for. */
function becomeMigration(job: DraftService, owner: DraftService, { note }: ComposeContext): void {
  if (job.run === null || job.dir !== owner.dir || owner.migrate !== null) {
    note(`\`${job.name}\` runs once, before \`${owner.name}\`, and is left out: write its command under \`migrate\``);
    return;
  }
  owner.migrate = job.run;
  owner.env = { ...job.env, ...owner.env };
  note(`\`${job.name}\` became the \`migrate\` of \`${owner.name}\``);
}
