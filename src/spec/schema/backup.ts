import * as field from '../fields.ts';

const kept = (about: string) => field.whole({ about, default: 0 }, 0, 10_000).optional();

export const backupSchema = field.section(
  {
    to: field.text(
      { about: 'The store: file:///folder or s3://bucket/prefix.' },
      /^(file:\/\/\/\S*|s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](\/\S*)?)$/,
      'file:///absolute/folder or s3://bucket/prefix',
    ),
    schedule: field
      .text({ about: 'Cron, five fields.', default: '0 2 * * *' }, /\S/, 'a cron line such as "0 20 * * *"')
      .optional(),
    timezone: field
      .text(
        { about: 'Time zone of the schedule.', default: 'UTC' },
        /\S/,
        'a time zone such as UTC or Europe/Berlin',
      )
      .optional(),
    keep: field
      .section(
        {
          hourly: kept('The last of each of this many hours.'),
          daily: kept('The last of each of this many days. Default: 7 when `keep` is omitted.'),
          weekly: kept('The last of each of this many weeks.'),
          monthly: kept('The last of each of this many months.'),
          maxAge: field
            .duration({ about: 'Everything younger.' }, { minMs: 60_000, maxMs: 36_500 * 86_400_000 })
            .optional(),
        },
        'What is kept. The last good backup always is.',
      )
      .nullish(),
    verify: field
      .choice(['daily', 'weekly', 'never'], {
        about: 'How often the newest is restored to prove it.',
        default: 'weekly',
      })
      .optional(),
  },
  'Backups. Omit it for none.',
);
