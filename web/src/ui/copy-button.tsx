import { Check, Copy } from 'lucide-react';
import { IconButton } from './button';
import { toast } from './toast';
import { useCopy } from './use-copy';

/** Copies `text`; `what` names it: "the request id". */
export function CopyButton({ text, what }: { text: string; what: string }) {
  const [copied, copy] = useCopy();
  const isCopied = copied === 'yes';
  const onClick = async () => {
    if ((await copy(text)) === 'failed') {
      toast('Could not copy. Select the text, and copy it yourself.');
    }
  };
  return (
    <IconButton label={isCopied ? 'Copied' : `Copy ${what}`} onClick={() => void onClick()}>
      {isCopied ? <Check aria-hidden /> : <Copy aria-hidden />}
    </IconButton>
  );
}
