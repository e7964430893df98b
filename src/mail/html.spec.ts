import { describe, expect, it } from '@jest/globals';
import { toHtml } from './html.js';

const bodyOf = (text: string) => /<body>(.*)<\/body>/s.exec(toHtml(text))?.[1];

describe('toHtml', () => {
  it('makes paragraphs and line breaks', () => {
    expect(bodyOf('One\ntwo\n\nThree\n')).toBe('<p>One<br>two</p><p>Three</p>');
  });

  it('makes a link of a line that is a web address, and of nothing else', () => {
    expect(bodyOf('https://a.example/x#token=t&b="')).toBe(
      '<p><a href="https://a.example/x#token=t&amp;b=&quot;">https://a.example/x#token=t&amp;b=&quot;</a></p>',
    );
    for (const text of ['see https://a.example', 'javascript:alert(1)', 'http://a b']) {
      expect(bodyOf(text)).toBe(`<p>${text}</p>`);
    }
  });

  it('shows markup as text', () => {
    expect(bodyOf(`<img src=x onerror='alert(1)'> & "Acme"`)).toBe(
      '<p>&lt;img src=x onerror=&#39;alert(1)&#39;&gt; &amp; &quot;Acme&quot;</p>',
    );
  });
});
