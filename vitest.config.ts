import { configDefaults, defineConfig } from 'vitest/config';

/** Tests that start programs and hold them to times, or that load several cores by themselves: one after another, and nothing beside them. */
const ALONE = [
  'bench/{autoscale,cluster,compare,load,plan,report,sync}/**/*.test.ts',
  'bin/bench-*.test.ts',
  'engine/host-*.test.ts',
  'server/{drain,killed-host,lost-host,memory}.test.ts',
  'server/api/conformance-overload.test.ts',
  'tests/cluster/**/*.test.ts',
];

export default defineConfig({
  test: {
    exclude: [...configDefaults.exclude, 'dist/**'],
    pool: 'forks',
    testTimeout: 30_000,
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'together',
          include: ['**/*.test.ts'],
          exclude: ALONE,
          maxWorkers: '100%',
          sequence: { groupOrder: 0 },
        },
      },
      { extends: true, test: { name: 'alone', include: ALONE, maxWorkers: 1, sequence: { groupOrder: 1 } } },
    ],
  },
});
