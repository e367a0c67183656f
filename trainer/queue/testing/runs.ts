import type { Run, TrainingTask } from '../../plan/task.ts';

export function taskOf(model: string, more: Partial<TrainingTask> = {}): TrainingTask {
  const code = { estimator: 'mean', version: '1.0.0', features: `sha256:${'0'.repeat(64)}` };
  return { model, reason: 'missing', code, window: { to: '2026-11-01T00:00:00Z' }, settings: {}, seed: 1, ...more };
}

export function runOf(id: string, models: readonly string[], more: Partial<Run> = {}): Run {
  const tasks = models.map((model) => taskOf(model));
  return { id, createdAt: '2026-11-24T00:00:00.000Z', by: 'test', mode: 'all', force: false, tasks, ...more };
}
