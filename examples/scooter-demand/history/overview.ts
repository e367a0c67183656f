import type { Session } from '../../../trainer/history/database.ts';
import { type City, readCity } from './store.ts';

/** Times are seconds since the epoch: the first and the last hour that is there. */
export interface ZoneOverview {
  zone: string;
  first: number;
  last: number;
  hours: number;
  missing: number;
  gaps: number;
  /** Hours. */
  longestGap: number;
  /** Trips an hour. */
  mean: number;
  /** Mean trips an hour in equal parts of the time that the whole history takes; null where there are none. */
  course: (number | null)[];
}

export interface Overview {
  city: City | undefined;
  zones: ZoneOverview[];
  weather: { hours: number; first: number | null; last: number | null };
  holidays: number;
}

export interface Gap {
  /** The first hour that is missing, seconds since the epoch. */
  from: number;
  hours: number;
}

/** Hours of trips of a zone, each with the hours that are missing between it and the next. */
const GAPS = `select zone, hour, trips,
    extract(epoch from lead(hour) over (partition by zone order by hour) - hour)::float8 / 3600 - 1 as gap
  from scooter_demand.trips`;

/** What there is, zone by zone. `parts` is how many numbers the course has. */
export async function readOverview(session: Session, parts: number): Promise<Overview> {
  const zones = await session.query<Omit<ZoneOverview, 'course'>>(
    `select z.zone, extract(epoch from min(hour))::float8 as first, extract(epoch from max(hour))::float8 as last,
        count(hour)::float8 as hours, coalesce(sum(gap), 0)::float8 as missing,
        (count(*) filter (where gap >= 1))::int as gaps, coalesce(max(gap), 0)::float8 as "longestGap",
        coalesce(avg(trips), 0)::float8 as mean
      from scooter_demand.zones z left join (${GAPS}) g using (zone) group by z.zone order by z.zone`,
  );
  const courses = await readCourses(session, parts);
  const [weather] = await session.query<Overview['weather']>(
    `select count(*)::float8 as hours, extract(epoch from min(hour))::float8 as first,
      extract(epoch from max(hour))::float8 as last from scooter_demand.weather`,
  );
  const [days] = await session.query<{ n: number }>('select count(*)::int as n from scooter_demand.holidays');
  return {
    city: await readCity(session),
    zones: zones.map((zone) => ({ ...zone, course: courses.get(zone.zone) ?? Array<null>(parts).fill(null) })),
    weather: weather!,
    holidays: days!.n,
  };
}

async function readCourses(session: Session, parts: number): Promise<Map<string, (number | null)[]>> {
  const rows = await session.query<{ zone: string; part: number; mean: number }>(
    `with span as (
        select extract(epoch from min(hour))::float8 as lo, extract(epoch from max(hour))::float8 + 3600 as hi
        from scooter_demand.trips)
      select zone, width_bucket(extract(epoch from hour)::float8, lo, hi, $1::int) as part, avg(trips)::float8 as mean
      from scooter_demand.trips cross join span group by 1, 2`,
    [parts],
  );
  const courses = new Map<string, (number | null)[]>();
  for (const { zone, part, mean } of rows) {
    const course = courses.get(zone) ?? Array<null>(parts).fill(null);
    course[part - 1] = mean;
    courses.set(zone, course);
  }
  return courses;
}

/** The longest gaps of a zone, the longest first. */
export async function readGaps(session: Session, zone: string, most: number): Promise<Gap[]> {
  return session.query<Gap>(
    `select extract(epoch from hour)::float8 + 3600 as from, gap as hours from (${GAPS}) g
      where zone = $1 and gap >= 1 order by gap desc, hour limit $2::int`,
    [zone, most],
  );
}

/** Mean trips in each hour of the day by the clocks of the city, of Monday to Friday and of the weekend; null where there are none. */
export async function readDay(
  session: Session,
  zone: string,
  timeZone: string,
): Promise<{ weekdays: (number | null)[]; weekend: (number | null)[] }> {
  const rows = await session.query<{ hour: number; weekend: boolean; mean: number }>(
    `select extract(hour from hour at time zone $2)::int as hour,
        extract(isodow from hour at time zone $2) > 5 as weekend, avg(trips)::float8 as mean
      from scooter_demand.trips where zone = $1 group by 1, 2`,
    [zone, timeZone],
  );
  const of = (weekend: boolean): (number | null)[] =>
    Array.from(
      { length: 24 },
      (_, hour) => rows.find((row) => row.hour === hour && row.weekend === weekend)?.mean ?? null,
    );
  return { weekdays: of(false), weekend: of(true) };
}
