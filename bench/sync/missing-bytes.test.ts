import { expect, it } from 'vitest';
import { isReached } from '../verdict.ts';
import { missingBytes } from './missing-bytes.ts';

it('bytes that are missing in one round of three are missing', () => {
  const rounds = [100, 100, 40].map(
    (bytes) =>
      new Map([
        ['whole', { bytes: 100 }],
        ['torn', { bytes }],
      ]),
  );
  const [whole, torn] = missingBytes(['whole', 'torn'], rounds);
  expect(isReached(whole!)).toBe(true);
  expect(torn).toMatchObject({ what: 'torn: bytes of models that are missing', measured: [60] });
  expect(isReached(torn!)).toBe(false);
});
