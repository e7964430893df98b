import { describe, expect, it } from '@jest/globals';
import { type Page, Pages } from '../src/pages.js';

/** Three pages, and the cursors by which they were asked for. */
function aList() {
  const asked: (string | undefined)[] = [];
  const following: Record<string, Page<number>> = {
    '': { data: [1, 2], paging: { next: { after: 'b' } } },
    // A page may be empty although others follow: what it would have held is gone.
    b: { data: [], paging: { next: { after: 'c' } } },
    c: { data: [3], paging: {} },
  };
  const pages = new Pages<Page<number>>((after) => {
    asked.push(after);
    return Promise.resolve(following[after ?? '']!);
  });
  return { pages, asked };
}

async function taken(pages: AsyncIterable<number>, count = Infinity): Promise<number[]> {
  const items: number[] = [];
  for await (const item of pages) {
    items.push(item);
    if (items.length === count) break;
  }
  return items;
}

describe('Pages', () => {
  it('iterates over the items of all pages', async () => {
    const { pages, asked } = aList();
    expect(await taken(pages)).toEqual([1, 2, 3]);
    expect(asked).toEqual([undefined, 'b', 'c']);
  });

  it('asks for no page that nobody reads', async () => {
    const { pages, asked } = aList();
    expect(asked).toEqual([]);
    expect(await taken(pages, 2)).toEqual([1, 2]);
    expect(asked).toEqual([undefined]);
  });

  it('answers the first page to await', async () => {
    const { pages, asked } = aList();
    expect((await pages).data).toEqual([1, 2]);
    expect(asked).toEqual([undefined]);
  });

  it('throws what a page throws, after the items before it', async () => {
    const pages = new Pages<Page<number>>((after) =>
      after === undefined
        ? Promise.resolve({ data: [1], paging: { next: { after: 'b' } } })
        : Promise.reject(new Error('gone')),
    );
    const items: number[] = [];
    const reading = (async () => {
      for await (const item of pages) items.push(item);
    })();
    await expect(reading).rejects.toThrow('gone');
    expect(items).toEqual([1]);
  });
});
