import { ArrowDown, ArrowUp, ChevronLeft, ChevronRight } from 'lucide-react';
import type { ReactNode } from 'react';
import type { Paged } from '../api/use-pages';
import { Button } from './button';
import { ProblemNotice } from './notice';
import styles from './table.module.css';

/** One column: how its head reads and its cells look. */
export interface Column<T> {
  /** A stable name; with `sort` it is what the API sorts by. */
  key: string;
  header: ReactNode;
  cell: (row: T) => ReactNode;
  sortable?: boolean;
  /** For numbers and menus. */
  align?: 'end';
  /** The row's name: it leads on small screens, where cells stand below each other. */
  primary?: boolean;
  /** Has a name, but no visible head: the column of the row menus. */
  hiddenHeader?: boolean;
}

/** A table of one page of a list; on small screens each row is a card. */
export function Table<T>({
  label,
  columns,
  paged,
  rows,
  rowKey,
  sort,
  onSort,
  empty,
}: {
  /** The name of the table, for those who do not see it. */
  label: string;
  columns: Column<T>[];
  paged: Pick<
    Paged<never>,
    'isPending' | 'isStale' | 'error' | 'next' | 'previous' | 'refetch' | 'isFetching'
  >;
  rows: readonly T[] | undefined;
  rowKey: (row: T) => string;
  /** `name`, or `-name` for the other way. */
  sort?: string;
  onSort?: (sort: string) => void;
  /** What stands there instead when there is no row. */
  empty: ReactNode;
}) {
  if (paged.error && rows === undefined) return <ProblemNotice error={paged.error} retry={paged} />;
  if (rows?.length === 0 && !paged.previous) return <>{empty}</>;
  return (
    <div className={styles.frame} aria-busy={paged.isPending || paged.isStale}>
      <ProblemNotice error={paged.error} retry={paged} />
      <table className={`${styles.table} ${paged.isStale ? styles.stale : ''}`} aria-label={label}>
        <thead>
          <tr>
            {columns.map((column) => (
              <Header key={column.key} {...{ column, sort, onSort }} />
            ))}
          </tr>
        </thead>
        <tbody>
          {rows === undefined
            ? [1, 2, 3, 4].map((row) => <SkeletonRow key={row} columns={columns.length} />)
            : rows.map((row) => <Row key={rowKey(row)} row={row} columns={columns} />)}
        </tbody>
      </table>
      <Paging {...paged} />
    </div>
  );
}

function Header<T>({
  column: { key, header, sortable, align, hiddenHeader },
  sort,
  onSort,
}: {
  column: Column<T>;
  sort?: string;
  onSort?: (sort: string) => void;
}) {
  const text = hiddenHeader ? <span className="visually-hidden">{header}</span> : header;
  const className = align === 'end' ? styles.end : undefined;
  if (!sortable || !onSort) {
    return (
      <th scope="col" className={className}>
        {text}
      </th>
    );
  }
  const direction = sort === key ? 'ascending' : sort === `-${key}` ? 'descending' : undefined;
  const Arrow = direction === 'descending' ? ArrowDown : ArrowUp;
  return (
    <th scope="col" className={className} aria-sort={direction ?? 'none'}>
      <button
        type="button"
        className={styles.sort}
        onClick={() => onSort(direction === 'ascending' ? `-${key}` : key)}
      >
        {text}
        <Arrow aria-hidden className={direction ? undefined : styles.unsorted} />
      </button>
    </th>
  );
}

function Row<T>({ row, columns }: { row: T; columns: Column<T>[] }) {
  return (
    <tr>
      {columns.map(({ key, header, cell, align, primary, hiddenHeader }) => (
        <td
          key={key}
          className={`${align === 'end' ? styles.end : ''} ${primary ? styles.primary : ''} ${hiddenHeader ? styles.menu : ''}`}
        >
          {!primary && !hiddenHeader && (
            <span className={styles.cardLabel} aria-hidden>
              {header}
            </span>
          )}
          <div className={styles.cell}>{cell(row)}</div>
        </td>
      ))}
    </tr>
  );
}

function SkeletonRow({ columns }: { columns: number }) {
  return (
    <tr aria-hidden>
      {Array.from({ length: columns }, (_, index) => (
        <td key={index}>
          <div className={styles.skeleton} />
        </td>
      ))}
    </tr>
  );
}

function Paging({ previous, next }: Pick<Paged<never>, 'previous' | 'next'>) {
  if (!previous && !next) return null;
  return (
    <nav className={styles.paging} aria-label="Pages">
      <Button onClick={previous} disabled={!previous}>
        <ChevronLeft aria-hidden /> Previous
      </Button>
      <Button onClick={next} disabled={!next}>
        Next <ChevronRight aria-hidden />
      </Button>
    </nav>
  );
}

/** Search and filters above a table. */
export function Toolbar({ children }: { children: ReactNode }) {
  return <div className={styles.toolbar}>{children}</div>;
}
