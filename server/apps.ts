import { createApp } from './api/app.ts';
import type { ApiContext } from './api/context.ts';
import type { Infer } from './api/direct.ts';
import { controlRoutes, type RepositoryControl } from './api/repository.ts';
import { docsRoutes } from './openapi/routes.ts';

export interface AppsOptions {
  infer: Infer;
  control: RepositoryControl;
  /** The metrics as they are now. */
  scrape(): Response;
}

/** What the two ports answer besides plain inferences. A module of its own, so that the first answer need not wait for it. */
export function createApps(context: ApiContext, { infer, control, scrape }: AppsOptions) {
  return {
    prediction: createApp(context, infer, docsRoutes(context, false)),
    admin: createApp(context, infer, {
      '/metrics': { GET: scrape },
      ...controlRoutes(context, control),
      ...docsRoutes(context, true),
    }),
  };
}
