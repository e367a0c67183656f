const SEPARATOR = Buffer.from('\r\n\r\n');
const LINE_END = Buffer.from('\r\n');
const STATUS_LINE = /^HTTP\/1\.([01]) (\d{3})/;

/** The head of an answer of HTTP/1.1. */
export interface AnswerHead {
  status: number;
  /** Status line and headers. */
  text: string;
  /** Bytes that it takes, with the empty line behind it. */
  length: number;
  /** Undefined where the body is in chunks, or ends with the connection. */
  bodyLength: number | undefined;
  chunked: boolean;
  /** The server closes the connection after it. */
  closes: boolean;
}

/** @returns undefined while it is not whole. @throws Error where it is none of HTTP/1.1 */
export function readHead(bytes: Buffer): AnswerHead | undefined {
  const end = bytes.indexOf(SEPARATOR);
  if (end < 0) return undefined;
  const text = bytes.toString('latin1', 0, end);
  const [, minor, digits] = STATUS_LINE.exec(text) ?? [];
  const status = Number(digits);
  const chunked = /\r\ntransfer-encoding: *[^\r]*chunked/i.test(text);
  const length = /\r\ncontent-length: *(\d+)/i.exec(text)?.[1];
  const bodiless = status === 204 || status === 304;
  const connection = /\r\nconnection: *([^\r]+)/i.exec(text)?.[1]?.toLowerCase();
  const bodyLength = bodiless ? 0 : chunked || length === undefined ? undefined : Number(length);
  return {
    status: digits === undefined ? 0 : status,
    text,
    length: end + SEPARATOR.length,
    bodyLength,
    chunked,
    closes:
      connection === 'close' ||
      (minor !== '1' && connection !== 'keep-alive') ||
      (!chunked && bodyLength === undefined),
  };
}

/** The value of a header, from the text of a head. @param name in lower case */
export function headerOf(head: string, name: string): string | undefined {
  for (let at = head.indexOf('\r\n'); at >= 0; at = head.indexOf('\r\n', at + 2)) {
    const start = at + 2;
    const colon = start + name.length;
    if (head[colon] !== ':' || head.slice(start, colon).toLowerCase() !== name) continue;
    const end = head.indexOf('\r\n', colon);
    return head.slice(colon + 1, end < 0 ? undefined : end).trim();
  }
  return undefined;
}

/** A body out of its chunks, trailers left out; undefined while the last one has not come. */
export function unchunk(bytes: Buffer): Buffer | undefined {
  const parts: Buffer[] = [];
  for (let at = 0; ; ) {
    const end = bytes.indexOf(LINE_END, at);
    if (end < 0) return undefined;
    const size = Number.parseInt(bytes.toString('latin1', at, end), 16);
    const start = end + LINE_END.length;
    if (size === 0) {
      const trailers = bytes.subarray(end);
      return trailers.indexOf(SEPARATOR) < 0 ? undefined : Buffer.concat(parts);
    }
    // Not a number: no body that can be read; and while the chunk is not whole, its end is not known.
    if (!(start + size + LINE_END.length <= bytes.length)) return undefined;
    parts.push(bytes.subarray(start, start + size));
    at = start + size + LINE_END.length;
  }
}
