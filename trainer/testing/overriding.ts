import type { TaskQueue } from '../queue/task-queue.ts';

/** The same queue with some methods replaced, for what happens between two calls. */
export function overriding(queue: TaskQueue, methods: Partial<TaskQueue>): TaskQueue {
  return new Proxy(queue, {
    get(target, name: keyof TaskQueue) {
      const value = methods[name] ?? target[name];
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
