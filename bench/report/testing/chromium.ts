import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

/** An installed Chromium; `tests/install-servers.sh` puts it there. `none` leaves its tests out. */
const BINARY = [
  process.env['KEDGE_TEST_CHROMIUM'] || '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
].find((path) => path === 'none' || existsSync(path));

export const hasChromium = BINARY !== undefined && BINARY !== 'none';

/** For the title of a suite: says so where its tests are left out. */
export function withChromium(title: string): string {
  return hasChromium ? title : `${title} (left out: no Chromium; tests/install-servers.sh installs it)`;
}

/** A browser that asks nothing of any network by itself. */
export function startChromium(): Promise<Browser> {
  const quiet = ['background-networking', 'component-update', 'sync', 'quic', 'gpu'].map((name) => `--disable-${name}`);
  return chromium.launch({ executablePath: BINARY!, args: ['--no-sandbox', '--no-first-run', ...quiet] });
}
