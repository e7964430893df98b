import { Search } from 'lucide-react';
import { useEffect, useState } from 'react';
import { useSettled } from '../api/use-search-filters';
import styles from './search-box.module.css';

/** A search field that asks when the typing pauses. */
export function SearchBox({
  label,
  value,
  onSearch,
}: {
  label: string;
  value: string;
  onSearch: (text: string) => void;
}) {
  const [text, setText] = useState(value);
  const settled = useSettled(text);
  const [known, setKnown] = useState(value);
  if (value !== known) {
    setKnown(value);
    // Not by typing: the filters were cleared, or a link was followed.
    if (value !== settled) setText(value);
  }
  useEffect(() => {
    if (settled !== value) onSearch(settled);
    // Only what was typed is a reason to search; the address changes for others, too.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [settled]);
  return (
    <div className={styles.box}>
      <Search aria-hidden />
      <input
        type="search"
        aria-label={label}
        placeholder={label}
        value={text}
        maxLength={100}
        onChange={(event) => setText(event.target.value)}
      />
    </div>
  );
}
