import type { ServiceAccount } from '@claviger/sdk';
import { useQuery } from '@tanstack/react-query';
import { api } from '../api/client';
import { Loading } from '../ui/loading';
import { ProblemNotice } from '../ui/notice';
import { Card } from '../ui/page';
import styles from './account-page.module.css';

const DAYS = 30;
const HEIGHT = 100;
const BAR = 10;
const GAP = 3;
/** A day with anything at all can be seen. */
const LEAST = 2;

interface Day {
  day: string;
  /** Answered as asked. */
  good: number;
  /** Refused by role or key, or because the key had ended. */
  denied: number;
}

/** Requests and denials of an account, day by day. */
export function UsageChart({ account }: { account: ServiceAccount }) {
  const { organizationId, id: serviceAccountId } = account;
  const query = useQuery({
    queryKey: ['organizations', organizationId, 'service-accounts', serviceAccountId, 'usage'],
    queryFn: () => api.serviceAccounts.usage({ organizationId, serviceAccountId, days: DAYS }),
  });
  const { data, error } = query;
  return (
    <Card title={`Last ${DAYS} days`}>
      {data ? (
        <Bars days={data.data.map(toDay)} />
      ) : error ? (
        <ProblemNotice error={error} retry={query} />
      ) : (
        <Loading />
      )}
    </Card>
  );
}

function toDay(row: { day: string; requests: number; denied: number; refused: number }): Day {
  return { day: row.day, good: row.requests - row.denied, denied: row.denied + row.refused };
}

function Bars({ days }: { days: Day[] }) {
  const highest = Math.max(1, ...days.map(({ good, denied }) => good + denied));
  const good = sum(days.map((day) => day.good));
  const denied = sum(days.map((day) => day.denied));
  const width = days.length * (BAR + GAP) - GAP;
  return (
    <>
      <div className={styles.legend}>
        <span>
          <Swatch className={styles.requests} /> {good.toLocaleString('en')} requests
        </span>
        <span>
          <Swatch className={styles.denied} /> {denied.toLocaleString('en')} denied
        </span>
      </div>
      <svg
        className={styles.chart}
        viewBox={`0 0 ${width} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`Requests a day: ${good} answered and ${denied} denied in ${days.length} days, at most ${highest} a day`}
      >
        {days.map((day, index) => (
          <Bar key={day.day} day={day} x={index * (BAR + GAP)} highest={highest} />
        ))}
        <line x1="0" x2={width} y1={HEIGHT} y2={HEIGHT} className={styles.baseline} />
      </svg>
      <div className={styles.ends}>
        <span>{days[0]?.day}</span>
        <span>{days.at(-1)?.day}</span>
      </div>
      <DayByDay days={days} />
    </>
  );
}

function Bar({ day: { day, good, denied }, x, highest }: { day: Day; x: number; highest: number }) {
  const scale = (value: number) =>
    value === 0 ? 0 : Math.max(LEAST, (value / highest) * (HEIGHT - LEAST));
  const upper = scale(denied);
  const lower = Math.min(scale(good), HEIGHT - upper);
  return (
    <g>
      <title>{`${day}: ${good} requests, ${denied} denied`}</title>
      <rect x={x} y={0} width={BAR} height={HEIGHT} fill="transparent" />
      <rect x={x} y={HEIGHT - lower} width={BAR} height={lower} className={styles.requests} />
      <rect x={x} y={HEIGHT - lower - upper} width={BAR} height={upper} className={styles.denied} />
    </g>
  );
}

/** What the bars show, for those who do not see them, or cannot point at them. */
function DayByDay({ days }: { days: Day[] }) {
  return (
    <details className={styles.days}>
      <summary>Day by day</summary>
      <table>
        <thead>
          <tr>
            <th scope="col">Day</th>
            <th scope="col">Requests</th>
            <th scope="col">Denied</th>
          </tr>
        </thead>
        <tbody>
          {days.toReversed().map(({ day, good, denied }) => (
            <tr key={day}>
              <th scope="row">{day}</th>
              <td>{good.toLocaleString('en')}</td>
              <td>{denied.toLocaleString('en')}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}

function Swatch({ className }: { className: string | undefined }) {
  return (
    <svg viewBox="0 0 10 10" aria-hidden>
      <rect width="10" height="10" rx="2" className={className} />
    </svg>
  );
}

function sum(values: number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
