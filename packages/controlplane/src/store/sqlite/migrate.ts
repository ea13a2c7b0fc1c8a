import type { Database } from 'better-sqlite3'

import { StoreUnusable } from '../store.ts'
import { applicationId, type Migration } from './migrations.ts'

/**
 * Brings the schema to the newest version, each step in a transaction of its own, so that a failed step leaves
 * the version before it. Refuses files of a newer version and files that are not ours.
 */
export function migrate(db: Database, migrations: readonly Migration[]): void {
  const found = numberOf(db, 'user_version')
  const newest = migrations.at(-1)?.version ?? 0
  if (found > newest) {
    throw new StoreUnusable(
      `${db.name} was written by a newer version of Bulkhead (schema ${found}, this one knows up to ${newest}): ` +
        'start the newer version, or restore a backup that was made before the upgrade',
    )
  }
  if (!isOurs(db, found)) {
    throw new StoreUnusable(
      `${db.name} is a database, but not one of Bulkhead: choose another data directory`,
    )
  }
  for (const { version, sql } of migrations.filter((step) => step.version > found)) {
    db.transaction(() => {
      db.exec(sql)
      db.pragma(`user_version = ${version}`)
    }).immediate()
  }
}

function isOurs(db: Database, version: number): boolean {
  if (version > 0) return numberOf(db, 'application_id') === applicationId
  const tables = db.prepare<[], number>('SELECT count(*) FROM sqlite_schema').pluck().get()
  return tables === 0
}

function numberOf(db: Database, pragma: string): number {
  return db.pragma(pragma, { simple: true }) as number
}
