import type { MigrationSet } from '../../../trainer/history/migrate.ts';

/**
 * The history of one city. An hour is kept as the moment at which it begins; it begins on the full hour by the clocks of the city,
 * which for some is a quarter or half of an hour beside that of UTC.
 */
export const SCHEMA: MigrationSet = {
  name: 'scooter-demand',
  migrations: [
    {
      id: 1,
      about: 'trips by zone and hour, weather, holidays',
      statements: [
        'create schema scooter_demand',
        `create table scooter_demand.city (
          sole boolean primary key default true check (sole),
          time_zone text not null,
          source text not null check (source in ('synthetic', 'imported')),
          settings text not null default '{}')`,
        `create table scooter_demand.zones (
          zone text primary key check (zone ~ '^[a-z0-9][a-z0-9._-]{0,99}$'))`,
        `create table scooter_demand.trips (
          zone text not null references scooter_demand.zones,
          hour timestamptz not null check (extract(epoch from hour) % 900 = 0),
          trips int not null check (trips >= 0),
          primary key (zone, hour))`,
        `create table scooter_demand.weather (
          hour timestamptz primary key check (extract(epoch from hour) % 900 = 0),
          temperature float8 check (temperature between -60 and 60),
          precipitation float8 check (precipitation between 0 and 500),
          wind float8 check (wind between 0 and 120))`,
        `create table scooter_demand.holidays (
          day date primary key,
          name text not null)`,
      ],
    },
  ],
};
