import styles from './foreign-text.module.css';

/** Everything that is not to be seen: control and format characters, line and paragraph separators. */
const UNSEEN = /([\p{C}\p{Zl}\p{Zp}])/u;

/**
 * Text that a stranger chose: only ever text, with what could hide or turn it around shown by its code point, and with a
 * direction of its own.
 */
export function ForeignText({ children }: { children: string }) {
  return (
    <bdi>
      {children
        .split(UNSEEN)
        .map((part, index) =>
          index % 2 === 0 ? part : <CodePoint key={index} character={part} />,
        )}
    </bdi>
  );
}

function CodePoint({ character }: { character: string }) {
  const hex = character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0');
  return <span className={styles.codePoint}>U+{hex}</span>;
}
