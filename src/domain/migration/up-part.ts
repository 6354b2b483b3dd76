/** What tools write between the way up and the way down, each as the beginning of a comment of its own line. */
const DOWN = /^[ \t]*--[ \t]*(?:migrate:down|\+goose[ \t]+down|\+migrate[ \t]+down|down[ \t]+migration|@down)\b/i;
const UP = /^[ \t]*--[ \t]*(?:migrate:up|\+goose[ \t]+up|\+migrate[ \t]+up|up[ \t]+migration|@up)\b/i;

/**
 * The file without its way down, as dbmate, goose, sql-migrate and node-pg-migrate write both into one file. Lines stay
 * where they are. A file without such marks is all up.
 */
export function upPart(sql: string): string {
  if (!/^[ \t]*--/m.test(sql)) return sql;
  let up = true;
  const lines = sql.split('\n').map((line) => {
    if (UP.test(line)) up = true;
    else if (DOWN.test(line)) up = false;
    return up ? line : '';
  });
  return lines.join('\n');
}
