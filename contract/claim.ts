import { z } from 'zod';

export const CLAIM_SCHEMA_VERSION = 1;

/** `claim.json`: the number is taken, a manifest will follow. The same publisher may resume it. */
export const claimSchema = z.looseObject({
  schemaVersion: z.literal(CLAIM_SCHEMA_VERSION),
  publisher: z.string().min(1),
  createdAt: z.iso.datetime({ offset: true }),
});

export type Claim = z.infer<typeof claimSchema>;
