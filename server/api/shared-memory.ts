import { invalid } from './parse.ts';
import type { Handler, Routes } from './routes.ts';

const refuse: Handler = () => {
  throw invalid('Shared memory is not supported: send tensors in the request, as JSON or binary.');
};

/** The shared memory extensions, which are refused with a sentence rather than as paths that nobody knows. */
export const sharedMemoryRoutes: Routes = {
  '/v2/systemsharedmemory/*': { GET: refuse, POST: refuse },
  '/v2/cudasharedmemory/*': { GET: refuse, POST: refuse },
};
