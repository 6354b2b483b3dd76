import type { Certificates } from '../../../ports/certificates.ts';
import { Accounts } from './account.ts';
import { IssuerFiles } from './files.ts';
import { issue, openOrder } from './issue.ts';
import type { AnswerChallenges } from './prove.ts';

/** Certificates by ACME (RFC 8555). `folder`: where they and the accounts are kept. */
export function acmeCertificates(options: { folder: string; answer: AnswerChallenges }): Certificates {
  const files = new IssuerFiles(options.folder);
  const accounts = new Accounts(files);
  return {
    place(id) {
      const path = files.pem(id);
      return { cert: path, key: path };
    },
    async look(id) {
      const [installed, memory] = await Promise.all([files.installed(id), files.memory(id)]);
      return {
        installed: installed === null ? null : { notBefore: installed.notBefore, notAfter: installed.notAfter },
        ordered: (await openOrder(files, id, installed?.key ?? null)) !== null,
        memory,
      };
    },
    remember: (id, memory) => files.saveMemory(id, memory),
    issue: (id, how) => issue({ files, accounts, answer: options.answer }, id, how),
  };
}
