import { type ComponentType, lazy, Suspense } from 'react';

/** How long a page has the network to itself before what it may open is fetched. */
const QUIET_MS = 1_500;

/**
 * A dialog or panel that the first view of its page does not need: `load` imports it when the page has been there for a moment, or when
 * it is first shown. To be called once, at the top of a module.
 */
export function onDemand<P extends object>(
  load: () => Promise<ComponentType<P>>,
): ComponentType<P> {
  const Loaded = lazy(async () => ({ default: await load() }));
  // One that cannot be fetched now is asked for again when it is shown, and the error is met there.
  setTimeout(() => void load().catch(() => undefined), QUIET_MS);
  return function OnDemand(props: P) {
    return (
      <Suspense>
        <Loaded {...props} />
      </Suspense>
    );
  };
}
