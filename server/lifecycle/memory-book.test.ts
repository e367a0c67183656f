import { beforeEach, describe, expect, it } from 'vitest';
import { MemoryBook } from './memory-book.ts';

let resident: number;
let book: MemoryBook<string>;
beforeEach(() => {
  resident = 1000;
  book = new MemoryBook(() => resident);
});

const begin = (key: string, probed: number, { files = 1, inline = true } = {}): void =>
  book.begin(key, { probed, files }, inline);

describe('what a version takes', () => {
  it('is estimated by the probe, and by its files where they are larger', () => {
    begin('a', 100);
    begin('b', 100, { files: 300 });
    expect([book.bytesOf('a'), book.bytesOf('b'), book.bytesOf('c')]).toEqual([100, 300, undefined]);
    expect([book.taken, book.loading, book.leaving]).toEqual([400, 400, 0]);
  });

  it.each<[string, number, number]>([
    ['what the process grew by', 60, 60],
    ['no less than its files', -500, 10],
    ['no more than twice the estimate', 5000, 200],
  ])('is corrected by the load: %s', (_what, growth, bytes) => {
    begin('a', 100, { files: 10 });
    resident += growth;
    book.loaded('a');
    expect([book.bytesOf('a'), book.taken, book.loading]).toEqual([bytes, bytes, 0]);
  });

  it('is shared out where loads overlapped, once the last of them has ended', () => {
    begin('a', 100);
    begin('b', 300);
    resident += 80;
    book.loaded('a');
    expect(book.bytesOf('a')).toBe(100);
    book.loaded('b');
    expect([book.bytesOf('a'), book.bytesOf('b'), book.taken]).toEqual([20, 60, 80]);
  });

  it('is shared among those that came to be loaded', () => {
    begin('a', 100);
    begin('b', 100);
    resident += 80;
    book.end('a');
    book.loaded('b');
    expect([book.bytesOf('a'), book.bytesOf('b'), book.taken]).toEqual([undefined, 80, 80]);
  });

  it('stays as estimated where memory came back meanwhile', () => {
    begin('old', 50, { inline: false });
    book.loaded('old');
    begin('a', 100);
    book.leave('old');
    book.end('old');
    resident -= 20;
    book.loaded('a');
    expect([book.bytesOf('a'), book.taken]).toEqual([100, 100]);
  });

  it('of another process is what the engine says, if it does', () => {
    begin('a', 100, { inline: false });
    begin('b', 100, { inline: false, files: 10 });
    resident += 1000;
    book.loaded('a');
    book.loaded('b', { measured: 70 });
    expect([book.bytesOf('a'), book.bytesOf('b')]).toEqual([100, 70]);
  });

  it('is taken until it is released', () => {
    begin('a', 100);
    resident += 100;
    book.loaded('a');
    book.leave('a');
    expect([book.taken, book.leaving]).toEqual([100, 100]);
    book.stay('a');
    expect([book.taken, book.leaving]).toEqual([100, 0]);
    book.leave('a');
    book.end('a');
    book.end('a');
    expect([book.taken, book.loading, book.leaving]).toEqual([0, 0, 0]);
  });
});
