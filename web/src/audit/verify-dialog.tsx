import { Progress } from '@base-ui/react/progress';
import { Button } from '../ui/button';
import { CopyButton } from '../ui/copy-button';
import { Dialog, DialogBody, DialogFooter } from '../ui/dialog';
import { Notice, ProblemNotice } from '../ui/notice';
import { Fact, Facts } from '../ui/page';
import styles from './audit.module.css';
import type { Chain } from './chain';
import { useVerification, type VerificationRun } from './use-verification';

/** Has the server recompute the whole chain, and says in words what it found. */
export function VerifyDialog({ chain, onClose }: { chain: Chain; onClose: () => void }) {
  const { run, start, cancel } = useVerification(chain);
  const isRunning = run.state === 'running';
  return (
    <Dialog
      open
      onClose={onClose}
      title="Verify the trail"
      description="Every event holds the hash of the one before it. The server recomputes all of them, and finds any that was changed, removed or inserted."
    >
      <DialogBody>
        {isRunning && <VerifyProgress run={run} />}
        <Result run={run} />
      </DialogBody>
      <DialogFooter>
        {isRunning ? (
          <Button onClick={cancel}>Cancel</Button>
        ) : (
          <Button onClick={onClose}>Close</Button>
        )}
        <Button variant="primary" busy={isRunning} onClick={start}>
          {run.state === 'idle' || isRunning ? 'Verify' : 'Verify again'}
        </Button>
      </DialogFooter>
    </Dialog>
  );
}

function VerifyProgress({ run: { events, head } }: { run: VerificationRun }) {
  return (
    <Progress.Root
      className={styles.progress}
      value={head ? Math.min(events, head.sequence) : null}
      max={head?.sequence ?? 1}
      getAriaValueText={() =>
        head ? `${format(events)} of ${format(head.sequence)} events` : 'Beginning'
      }
    >
      <Progress.Label>
        {head ? `${format(events)} of ${format(head.sequence)} events` : 'Verifying…'}
      </Progress.Label>
      <Progress.Track className={styles.track}>
        <Progress.Indicator className={styles.indicator} />
      </Progress.Track>
    </Progress.Root>
  );
}

function Result({ run }: { run: VerificationRun }) {
  const { state, events, head, firstBadSequence } = run;
  if (state === 'failed') return <ProblemNotice error={run.error} />;
  if (state === 'cancelled') {
    return <Notice>Cancelled. The first {format(events)} events are unbroken.</Notice>;
  }
  if (state === 'broken') {
    return (
      <Notice
        tone="danger"
        role="alert"
        title={`Event number ${format(firstBadSequence ?? events + 1)} is not as it was written`}
      >
        It, or what stood there before, was changed, removed or inserted outside of the server. The{' '}
        {format(events)} events before it are unbroken; trust none from there on. Keep a copy of the
        database, and compare it with your backups and exports.
      </Notice>
    );
  }
  if (state !== 'unbroken' || !head) return null;
  return (
    <>
      <Notice role="status" title={`${format(events)} events, unbroken`}>
        Note down where the chain ends, and keep it elsewhere. It proves later that nothing before
        was changed.
      </Notice>
      <Facts>
        <Fact label="Last number">{head.sequence}</Fact>
        <Fact label="Last hash">
          <div className={styles.copied}>
            <code>{head.hash}</code>
            <CopyButton text={`${head.sequence} ${head.hash}`} what="number and hash" />
          </div>
        </Fact>
      </Facts>
    </>
  );
}

function format(count: number): string {
  return count.toLocaleString('en');
}
