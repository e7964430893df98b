import { setFlagsFromString } from 'node:v8';
import { loadConfig } from './config.js';
import { findPrimary } from './workers/worker.js';

// Where there is memory, the engine collects only when what is alive has been outgrown several times: a long export, all of it
// garbage, would make the process grow by hundreds of megabytes. So it collects when the heap has grown by half.
setFlagsFromString('--heap-growing-percent=50');

// Objects of a kind of which many once survived would be made among the old ones, where they keep alive what they refer to until
// everything is collected: with each request a few kilobytes more (docs/benchmarks.md).
setFlagsFromString('--no-allocation-site-pretenuring');

// What is loaded only when it is needed: the primary of several workers does without the application, and half the memory.
try {
  const config = loadConfig(process.env);
  const primary = findPrimary();
  if (config.workers > 1 && primary === undefined) {
    const { runWorkers } = await import('./workers/primary.js');
    await runWorkers(config);
  } else {
    const { serve } = await import('./serve.js');
    await serve(config, primary);
  }
} catch (error) {
  const { explainStart } = await import('./start-errors.js');
  process.stderr.write(`${explainStart(error)}\n`);
  process.exit(1);
}
