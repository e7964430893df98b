const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** A line that is a web address and nothing else. */
const WEB_ADDRESS = /^https?:\/\/[\x21-\x7e]+$/;

/**
 * Plain text as the least HTML that mail programs show well: paragraphs where there are empty lines,
 * links where a line is a web address. Everything else is shown as it is, never as markup; pure.
 */
export function toHtml(text: string): string {
  const paragraphs = text.trim().split(/\n{2,}/);
  const body = paragraphs.map((paragraph) => {
    const lines = paragraph.split('\n').map(toLine);
    return `<p>${lines.join('<br>')}</p>`;
  });
  return `<!doctype html><html><body>${body.join('')}</body></html>`;
}

function toLine(line: string): string {
  const escaped = line.replace(/[&<>"']/g, (character) => ESCAPES[character] ?? '');
  return WEB_ADDRESS.test(line) ? `<a href="${escaped}">${escaped}</a>` : escaped;
}
