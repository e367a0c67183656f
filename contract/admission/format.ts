const UNITS = ['kB', 'MB', 'GB', 'TB', 'PB', 'EB'];

/** `4.4 TB`, `24 bytes`: decimal, for sentences. */
export function formatBytes(count: number | bigint): string {
  if (count < 1000) return `${count} bytes`;
  let size = Number(count);
  let unit = -1;
  while (size >= 1000 && unit < UNITS.length - 1) {
    size /= 1000;
    unit++;
  }
  return `${size < 10 ? size.toFixed(1) : Math.round(size)} ${UNITS[unit]}`;
}
