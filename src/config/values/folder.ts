/**
 * A folder inside the project, with forward slashes and without `./` and a slash at the end; null when it is absolute
 * or leaves the project. The root itself is `.`.
 */
export function parseFolder(text: string): string | null {
  const trimmed = text.trim();
  if (trimmed === '' || trimmed.startsWith('/') || /^[a-z]:[\\/]/i.test(trimmed) || /[\\\0]/.test(trimmed)) return null;
  const segments = trimmed.split('/').filter((segment) => segment !== '' && segment !== '.');
  if (segments.includes('..')) return null;
  return segments.length === 0 ? '.' : segments.join('/');
}
