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
