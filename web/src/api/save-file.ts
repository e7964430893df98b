/** Hands the browser a file to save. */
export function saveFile(name: string, content: Blob): void {
  const url = URL.createObjectURL(content);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // The download has begun with the click, but in some browsers reads the address only after it.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** A text as a part of a file's name, which every system takes: `acme-gmbh`; `claviger` when nothing of it is left. */
export function inFileName(text: string): string {
  const part = text
    .normalize('NFKD')
    .toLowerCase()
    .replace(/\p{M}/gu, '')
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 40)
    .replace(/^-|-$/g, '');
  return part || 'claviger';
}
