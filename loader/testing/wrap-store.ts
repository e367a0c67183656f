import type { ObjectStore } from '../../registry/object-store.ts';

/** The same store, with some of its methods replaced; for faults that a real one cannot be made to show, and for counting. */
export function wrapStore(store: ObjectStore, changes: Partial<ObjectStore>): ObjectStore {
  return {
    url: store.url,
    mayTear: store.mayTear,
    list: (...args) => store.list(...args),
    head: (...args) => store.head(...args),
    get: (...args) => store.get(...args),
    put: (...args) => store.put(...args),
    delete: (...args) => store.delete(...args),
    close: () => store.close(),
    ...changes,
  };
}
