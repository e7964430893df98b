import type { Page } from 'playwright-core';

/** Runs in the page. */
const COLLECT = `(async () => {
  const found = [document.documentElement.outerHTML, location.href, document.cookie, name];
  for (const field of document.querySelectorAll('input, textarea')) found.push(field.value);
  for (const storage of [localStorage, sessionStorage]) found.push(JSON.stringify({ ...storage }));
  found.push(JSON.stringify(history.state));
  found.push(JSON.stringify(performance.getEntries()));
  for (const { name: of } of await indexedDB.databases()) {
    const database = await new Promise((resolve, reject) => {
      const request = indexedDB.open(of);
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
    for (const store of database.objectStoreNames) {
      found.push(await new Promise((resolve, reject) => {
        const request = database.transaction(store).objectStore(store).getAll();
        request.onsuccess = () => resolve(JSON.stringify(request.result));
        request.onerror = () => reject(request.error);
      }));
    }
    database.close();
  }
  for (const of of (await globalThis.caches?.keys()) ?? []) {
    const cache = await caches.open(of);
    for (const request of await cache.keys()) {
      found.push(request.url, await (await cache.match(request)).text());
    }
  }
  return found.join('\\n');
})()`;

/**
 * All that a page holds where scripts, extensions or the next user of the browser could find it: its document and fields,
 * address, history state, storages, databases, caches and performance entries.
 */
export function keptBy(page: Page): Promise<string> {
  return page.evaluate<string>(COLLECT);
}

/**
 * The heap of the page's scripts as text, after what nobody holds any more was collected: objects of React, closures, caches,
 * whatever they are reached by.
 */
export async function heapOf(page: Page): Promise<string> {
  const session = await page.context().newCDPSession(page);
  const chunks: string[] = [];
  session.on('HeapProfiler.addHeapSnapshotChunk', ({ chunk }) => chunks.push(chunk));
  await session.send('HeapProfiler.collectGarbage');
  await session.send('HeapProfiler.takeHeapSnapshot', { reportProgress: false });
  await session.detach();
  return chunks.join('');
}
