import { optional, text, type Values } from '../platform/settings.ts';

/** Where the history is. */
export const historySettings = {
  databaseUrl: optional({
    ...text('DATABASE_URL', 'Postgres that holds the history: postgres://user:password@host:5432/name'),
    parse: checkDatabase,
  }),
  historyFolder: text('KEDGE_HISTORY', 'folder that holds the history (in PGlite) where there is no DATABASE_URL', {
    default: 'kedge-history',
  }),
};

export type HistoryConfig = Values<typeof historySettings>;

/** The value is not told, since it may hold a password. */
function checkDatabase(value: string): string {
  if (/^postgres(ql)?:\/\/./.test(value) && URL.canParse(value)) return value;
  throw new Error('must be the URL of a Postgres database, such as postgres://user:password@host:5432/name');
}
