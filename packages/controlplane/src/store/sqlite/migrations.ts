export interface Migration {
  /** What `user_version` is afterwards; counts up from 1 without gaps. */
  readonly version: number
  readonly sql: string
}

/** Marks a file as ours: `BLKH`. */
export const applicationId = 0x42_4c_4b_48

/**
 * Never edited once released: a new schema is a new entry.
 *
 * `records` has a rowid, because a row of about 1 KB in a table without one spills into overflow pages, which
 * made bulk inserts five times slower. `sum` is CRC-32 over kind, key and value: SQLite checks the structure of
 * its pages, not their content.
 */
export const migrations: readonly Migration[] = [
  {
    version: 1,
    sql: `
      PRAGMA application_id = ${applicationId};
      CREATE TABLE meta (
        key TEXT NOT NULL PRIMARY KEY,
        value INTEGER NOT NULL
      ) STRICT;
      INSERT INTO meta (key, value) VALUES ('revision', 0);
      CREATE TABLE records (
        kind TEXT NOT NULL,
        key TEXT NOT NULL,
        value TEXT NOT NULL,
        revision INTEGER NOT NULL,
        sum INTEGER NOT NULL,
        PRIMARY KEY (kind, key)
      ) STRICT;
      CREATE TABLE events (
        id INTEGER PRIMARY KEY,
        revision INTEGER NOT NULL,
        value TEXT NOT NULL
      ) STRICT;
    `,
  },
]
