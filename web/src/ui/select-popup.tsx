import { Select } from '@base-ui/react/select';
import { Check } from 'lucide-react';
import styles from './field.module.css';
import type { Choice } from './select';

/** The choices that open under a select. Apart, because what places them is heavy and first needed then. */
export function SelectPopup({ choices }: { choices: readonly Choice[] }) {
  return (
    <Select.Portal>
      <Select.Positioner className={styles.positioner} sideOffset={4} alignItemWithTrigger={false}>
        <Select.Popup className={styles.popup}>
          {choices.map((choice) => (
            <Select.Item
              key={choice.value}
              value={choice.value}
              disabled={choice.disabled}
              className={styles.item}
            >
              <Select.ItemText className={styles.itemText}>{choice.label}</Select.ItemText>
              {choice.note && <span className={styles.itemNote}>{choice.note}</span>}
              <Select.ItemIndicator className={styles.tick}>
                <Check aria-hidden />
              </Select.ItemIndicator>
            </Select.Item>
          ))}
        </Select.Popup>
      </Select.Positioner>
    </Select.Portal>
  );
}
