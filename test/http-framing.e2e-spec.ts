import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { errorsOf, statusOf, Platform } from './http-fixture.js';

const platform = new Platform();

beforeAll(() => platform.start());

afterAll(() => platform.stop());

describe('framing', () => {
  it.each([
    'text/plain',
    'application/xml',
    'multipart/form-data; boundary=x',
    'application/x-www-form-urlencoded',
    'application/json; charset=latin1',
    'nonsense',
  ])('refuses %s with 415', async (type) => {
    const response = await platform.post('{"name":"x"}', type);
    expect(response.status).toBe(415);
    expect(await response.json()).toMatchObject({ code: 'unsupported_media_type' });
  });

  it('refuses a body without a content type, and one that is compressed, with 415', async () => {
    const body = 'Host: x\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}';
    expect(statusOf(await platform.raw(`POST /v1/things HTTP/1.1\r\n${body}`))).toBe(415);
    const gzip = `Content-Encoding: gzip\r\nContent-Type: application/json\r\n${body}`;
    expect(statusOf(await platform.raw(`POST /v1/things HTTP/1.1\r\n${gzip}`))).toBe(415);
  });

  it('takes forms, and nothing else, under /oauth/', async () => {
    const form = 'application/x-www-form-urlencoded';
    const good = await platform.post('token=a+b%20c', form, '/oauth/token');
    expect(await good.json()).toEqual({ token: 'a b c' });
    expect((await platform.post('{}', 'application/json', '/oauth/token')).status).toBe(415);
    expect((await platform.post('token=a&token=b', form, '/oauth/token')).status).toBe(400);
  });

  it('refuses more than 64 KiB with 413, whether announced or chunked', async () => {
    const text = `{"name":"${'x'.repeat(65_536)}"}`;
    expect((await platform.post(text)).status).toBe(413);
    const chunk = `${text.length.toString(16)}\r\n${text}\r\n0\r\n\r\n`;
    const head = 'POST /v1/things HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n';
    const answer = await platform.raw(`${head}Content-Type: application/json\r\n\r\n${chunk}`);
    expect(statusOf(answer)).toBe(413);
  });

  it('takes application/*+json, and an empty body for no body', async () => {
    expect((await platform.post('{"name":"x"}', 'application/merge-patch+json')).status).toBe(201);
    const headers = { 'Content-Type': 'application/json' };
    expect((await platform.send('/v1/things/x', { method: 'DELETE', headers })).status).toBe(200);
    expect(await errorsOf(await platform.post(''))).toEqual({ '': 'required' });
  });

  it.each([
    ['{', 'invalid_json'],
    ['{"name":"x","name":"y"}', 'validation_failed'],
    ['{"__proto__":{}}', 'validation_failed'],
    ['{"constructor":1}', 'validation_failed'],
    ['{"name":"\\u0000"}', 'validation_failed'],
    ['{"name":"\\ud800"}', 'validation_failed'],
    ['{"count":1e400}', 'validation_failed'],
    ['['.repeat(33) + ']'.repeat(33), 'validation_failed'],
  ])('refuses %s with 400', async (body, code) => {
    const response = await platform.post(body);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code });
  });

  it('refuses bytes that are not UTF-8 with 400', async () => {
    const response = await platform.post(Buffer.from([0x22, 0xff, 0x22]));
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: 'invalid_utf8' });
  });
});
