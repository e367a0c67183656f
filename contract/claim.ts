import * as z from 'zod';

export const CLAIM_SCHEMA_VERSION = 1;

/** `claim.json`: the number is taken, a manifest will follow. The same publisher may resume it. */
export const claimSchema = z.looseObject({
  schemaVersion: z.literal(CLAIM_SCHEMA_VERSION),
  publisher: z.string().min(1),
  createdAt: z.iso.datetime({ offset: true }),
  /** `kedge gc` is removing the version: nobody may resume it. */
  abandonedAt: z.iso.datetime({ offset: true }).optional(),
});

export type Claim = z.infer<typeof claimSchema>;
