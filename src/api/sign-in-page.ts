import { CONTENT_SECURITY_POLICY } from './dashboard.ts';

/** Where the style of these pages is. */
export const STYLE_URL = '/sign-in/oidc.css';

export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': CONTENT_SECURITY_POLICY,
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cache-control': 'no-store',
};

/** What somebody sees who could not be signed in: no script is needed for it, and no file of the dashboard. */
export function failurePage(said: {
  readonly what: string;
  readonly why: string | null;
  readonly next: string | null;
  readonly code: string;
}): string {
  const paragraph = (text: string | null): string => (text === null ? '' : `<p>${escaped(text)}</p>`);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>${escaped(said.what)}</title>
<link rel="icon" href="/favicon.svg" type="image/svg+xml">
<link rel="stylesheet" href="${STYLE_URL}">
</head>
<body>
<main>
<h1>${escaped(said.what)}</h1>
${paragraph(said.why)}
${paragraph(said.next)}
<p><a href="/">To the dashboard</a></p>
<p class="code">${escaped(said.code)}</p>
</main>
</body>
</html>
`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

const escaped = (text: string): string => text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? '');

/** The colours are those of the dashboard. */
export const PAGE_STYLE = `:root {
  color-scheme: light dark;
  --ground: #f7f7f6;
  --surface: #ffffff;
  --line: #e3e3e0;
  --text: #1b1c1e;
  --muted: #5d6067;
  --accent: #2a5bd0;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0f1012;
    --surface: #16181b;
    --line: #2a2d31;
    --text: #e8e8e6;
    --muted: #9a9da4;
    --accent: #8fb0ff;
  }
}
body {
  margin: 0;
  min-height: 100vh;
  display: grid;
  place-items: center;
  background: var(--ground);
  color: var(--text);
  font: 1rem/1.5 system-ui, sans-serif;
}
main {
  box-sizing: border-box;
  width: min(30rem, 100vw - 2rem);
  padding: 1.75rem 2rem;
  background: var(--surface);
  border: 1px solid var(--line);
  border-radius: 10px;
  overflow-wrap: anywhere;
}
h1 {
  margin: 0 0 1rem;
  font-size: 1.2rem;
  line-height: 1.3;
}
p {
  margin: 0 0 0.75rem;
}
a {
  color: var(--accent);
}
.code {
  margin: 1.25rem 0 0;
  color: var(--muted);
  font: 0.8rem ui-monospace, monospace;
}
`;
