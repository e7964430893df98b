import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** How much garbage may gather between two looks at an answer that takes long. */
const GROWTH_BYTES = 64 * 2 ** 20;

/**
 * Keeps the heap from growing while a long answer is made. Such an answer is all garbage, a few rows of it alive at a time,
 * and where there is memory the engine lets hundreds of megabytes gather before it collects them. A collection stops the
 * process for some ten milliseconds, so it is asked for as seldom as the engine would if it had less memory.
 */
export class BoundedHeap {
  private low = Infinity;
  private collect: (() => void) | undefined;

  /** To be called now and then; collects when the heap has grown by 64 MiB since it was smallest. */
  check(): void {
    const { used_heap_size: used } = getHeapStatistics();
    this.low = Math.min(this.low, used);
    if (used - this.low < GROWTH_BYTES) return;
    this.collect ??= collector();
    this.collect();
    this.low = getHeapStatistics().used_heap_size;
  }
}

/** The engine's own, which new contexts have once they are told to; without a restart under a flag. */
function collector(): () => void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('globalThis.gc') as (() => void) | undefined;
  setFlagsFromString('--no-expose-gc');
  return collect ?? (() => undefined);
}
