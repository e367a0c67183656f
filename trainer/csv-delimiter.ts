/** What lies between the fields of a CSV file: a comma, a semicolon or a tab, whichever there is most of in its first line. */
export function delimiterOf(text: string): string {
  const head = /[^\r\n]+/.exec(text)?.[0] ?? '';
  const count = (part: string): number => head.split(part).length - 1;
  return [',', ';', '\t'].reduce((best, one) => (count(one) > count(best) ? one : best));
}
