/** Markup that may stand in a page as it is. Made by {@link html} alone, so that what comes from a record is always escaped. */
export class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type Part = Markup | string | number | undefined | false | readonly Part[];

/** Markup of a template; what is filled in is escaped unless it is markup already. Nothing stands for undefined and false. */
export function html(literals: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  return new Markup(literals.reduce((text, literal, index) => text + textOf(parts[index - 1]) + literal));
}

/** For text that is markup by itself, and holds nothing of a record. */
export const trusted = (text: string): Markup => new Markup(text);

/** JSON for a data block: nothing in it can end the block or begin a comment. */
export function jsonBlock(value: unknown): Markup {
  return new Markup(JSON.stringify(value).replace(/</g, '\\u003c'));
}

function textOf(part: Part): string {
  if (part === undefined || part === false) return '';
  if (part instanceof Markup) return part.text;
  if (typeof part === 'object') return part.map(textOf).join('');
  return String(part).replace(/[&<>"']/g, (sign) => ESCAPES[sign]!);
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
