import type { ObjectStore } from '../object-store.ts';

/** The same store with some methods replaced, for what happens between two calls. */
export function overriding(store: ObjectStore, methods: Partial<ObjectStore>): ObjectStore {
  return {
    url: store.url,
    mayTear: store.mayTear,
    list: (...args) => store.list(...args),
    head: (...args) => store.head(...args),
    get: (...args) => store.get(...args),
    put: (...args) => store.put(...args),
    delete: (...args) => store.delete(...args),
    close: () => store.close(),
    ...methods,
  };
}
