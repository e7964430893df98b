import { describe, expect, it } from '@jest/globals';
import { ExportLog } from './export-log.js';

function aLog() {
  const lines: string[] = [];
  const clock = { now: 1_000 };
  const say = (line: string) => void lines.push(line);
  return { lines, clock, log: new ExportLog({ warn: say, log: say }, () => clock.now) };
}

const REFUSED = Object.assign(new Error('connect ECONNREFUSED 10.0.0.1'), { code: 'ECONNREFUSED' });

describe('ExportLog', () => {
  it('says a failure once a minute, with all that was lost meanwhile', () => {
    const { lines, clock, log } = aLog();
    for (let count = 0; count < 100; count += 1) log.failed(REFUSED, 10);
    expect(lines).toEqual(['traces cannot be exported: ECONNREFUSED; spans lost: 10']);
    clock.now += 60_000;
    log.failed(Object.assign(new Error('Unauthorized'), { code: 401, data: 'Bearer x' }), 5);
    expect(lines.slice(1)).toEqual([
      'traces cannot be exported: the collector answers 401; spans lost: 995',
    ]);
  });

  it('says once that it works again, and does not flap', () => {
    const { lines, log } = aLog();
    log.succeeded();
    for (let count = 0; count < 100; count += 1) {
      log.failed(new Error('Request timed out'), 1);
      log.succeeded();
    }
    expect(lines).toEqual([
      'traces cannot be exported: Request timed out; spans lost: 1',
      'traces are exported again',
    ]);
  });

  it('says what the SDK has to say once a minute', () => {
    const { lines, clock, log } = aLog();
    log.warned('Dropped 1 spans');
    log.warned('Dropped 2 spans');
    clock.now += 60_000;
    log.warned('Dropped 3 spans');
    expect(lines).toEqual(['traces: Dropped 1 spans', 'traces: Dropped 3 spans']);
  });
});
