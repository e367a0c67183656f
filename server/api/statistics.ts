import type { ServedModel } from '../lifecycle/served-model.ts';
import type { ServedVersion } from '../lifecycle/served-version.ts';
import type { Spent, WorkStats } from '../work-stats.ts';
import type { ApiContext, HttpContext } from './context.ts';
import { json } from './errors.ts';
import { pickModel, pickVersion } from './pick.ts';
import { param, type Routes } from './routes.ts';

/** The statistics extension: of all models, of one, or of one version. Only what can answer is told of. */
export function statisticsRoutes({ table, stats }: ApiContext): Routes {
  const statsOf = (served: ServedVersion): object => {
    const { model, version } = served;
    return describeStats(model, version, table.memoryOf(served) ?? 0, stats.of(model, String(version)).work, (at) =>
      Math.round(Date.now() - (stats.now() - at) * 1_000),
    );
  };
  const ableOf = (model: ServedModel): ServedVersion[] =>
    model.versions.filter((one) => model.canAnswer(one)).sort((a, b) => a.version - b.version);
  const answer = (versions: readonly ServedVersion[]): Response => json({ model_stats: versions.map(statsOf) });

  return {
    '/v2/models/stats': {
      GET: () => {
        const models = [...table.models()].sort((a, b) => (a.name < b.name ? -1 : 1));
        return answer(models.flatMap(ableOf));
      },
    },
    '/v2/models/:model/stats': { GET: (c: HttpContext) => answer(ableOf(pickModel(table, param(c, 'model')))) },
    '/v2/models/:model/versions/:version/stats': {
      GET: (c: HttpContext) => answer([pickVersion(table, param(c, 'model'), param(c, 'version'))]),
    },
  };
}

/** @param wallTime milliseconds since the epoch of a time on the clock of the stats */
function describeStats(
  name: string,
  version: number,
  memoryBytes: number,
  work: WorkStats,
  wallTime: (at: number) => number,
): object {
  const none = { count: 0, ns: 0 };
  return {
    name,
    version: String(version),
    last_inference: work.lastAt === undefined ? 0 : wallTime(work.lastAt),
    inference_count: work.inferences,
    execution_count: Math.round(work.executions),
    inference_stats: {
      success: shown(work.success),
      fail: shown(work.fail),
      queue: shown(work.queue),
      compute_input: shown(work.input),
      compute_infer: shown(work.infer),
      compute_output: shown(work.output),
      cache_hit: none,
      cache_miss: none,
    },
    response_stats: {},
    batch_stats: [...work.batches]
      .sort(([a], [b]) => a - b)
      .map(([rows, { input, infer, output }]) => ({
        batch_size: rows,
        compute_input: shown(input),
        compute_infer: shown(infer),
        compute_output: shown(output),
      })),
    memory_usage: [{ type: 'CPU', id: 0, byte_size: Math.max(0, Math.round(memoryBytes)) }],
  };
}

function shown({ count, ms }: Spent): { count: number; ns: number } {
  return { count: Math.round(count), ns: Math.round(ms * 1e6) };
}
