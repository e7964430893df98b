import { describe, expect, it } from '@jest/globals';
import { deviceName } from './device';

const MOZILLA = 'Mozilla/5.0';
const WEBKIT = 'AppleWebKit/537.36 (KHTML, like Gecko)';

describe('deviceName', () => {
  it('tells browsers apart that claim to be each other', () => {
    const chrome = `${MOZILLA} (Windows NT 10.0; Win64; x64) ${WEBKIT} Chrome/140.0.0.0 Safari/537.36`;
    expect(deviceName(chrome)).toBe('Chrome on Windows');
    expect(deviceName(`${chrome} Edg/140.0.0.0`)).toBe('Edge on Windows');
    expect(
      deviceName(`${MOZILLA} (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0`),
    ).toBe('Firefox on Linux');
    expect(
      deviceName(
        `${MOZILLA} (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1`,
      ),
    ).toBe('Safari on iPhone');
  });

  it('names a program, and leaves out what cannot be told', () => {
    expect(deviceName('curl/8.5.0')).toBe('curl');
    expect(deviceName(`${MOZILLA} (Windows NT 10.0)`)).toBe('Windows');
    for (const none of [null, '', MOZILLA]) expect(deviceName(none)).toBe('Unknown device');
  });
});
