import type { LinkView } from '../../../src/api/contract/people.ts';
import { Problem } from '../ui/Problem.tsx';
import { ShownOnce } from '../ui/ShownOnce.tsx';
import { dateAndTime } from '../ui/times.ts';

/** A link that somebody is sent: whoever opens it first is signed in as them. */
export function InvitationLink({ link, error = null }: { link: LinkView | null; error?: unknown }) {
  if (error !== null) return <Problem error={error} />;
  if (link === null) return <p>They can sign in already, by what they have.</p>;
  return (
    <>
      <ShownOnce label="Link" text={`${location.origin}${link.path}`} />
      <p className="muted">
        Send it to them alone: it signs in whoever opens it first, once, until {dateAndTime(link.expiresAt)}.
      </p>
    </>
  );
}
