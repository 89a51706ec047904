import { z } from 'zod';
import * as field from '../fields.ts';

const kept = (about: string) => field.whole({ about, default: 0 }, 0, 10_000).optional();

export const backupSchema = field.section(
  {
    to: field.text(
      { about: 'The store: file:///folder or s3://bucket/prefix.' },
      /^(file:\/\/\/\S*|s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](\/\S*)?)$/,
      'file:///absolute/folder or s3://bucket/prefix',
    ),
    endpoint: field
      .text(
        { about: 'An S3-compatible server, in place of AWS.' },
        /^https?:\/\/[^/\s@]+\/?$/,
        'the address of an S3-compatible server, such as https://minio.example:9000',
      )
      .optional(),
    region: field
      .text(
        { about: 'Region of the bucket. Default: as the AWS tools find it; us-east-1 with an endpoint.' },
        /^[a-z0-9-]+$/,
        'a region such as eu-central-1',
      )
      .optional(),
    pathStyle: field
      .flag({
        about:
          'The bucket stands in the path, as most S3-compatible servers want it. Default: with an endpoint.',
      })
      .optional(),
    serverSideEncryption: field
      .choice(['AES256', 'aws:kms'], {
        about: 'What S3 encrypts with; the bucket decides when it is omitted.',
      })
      .optional(),
    kmsKeyId: field
      .text({ about: 'The key for aws:kms; the account’s own when omitted.' }, /^\S+$/, 'a KMS key id or ARN')
      .optional(),
    compression: field
      .choice(['none', 'gzip', 'zstd'], {
        about: 'Of what is stored; zstd needs the zstd program.',
        default: 'none',
      })
      .optional(),
    encryption: field
      .section(
        {
          recipients: z
            .array(
              field.text(
                { about: 'An age public key.' },
                /^age1[02-9ac-hj-np-z]{58}$/,
                'an age public key, as age-keygen prints it: age1 and 58 letters and digits',
              ),
              { error: 'a list of age public keys' },
            )
            .min(1, { error: 'a list of at least one age public key' })
            .describe('Age public keys; each of their identities opens every backup.'),
        },
        'Encrypts backups before they leave the host, in the age format.',
      )
      .nullish(),
    from: field
      .choice(['replica', 'prefer-replica', 'primary'], {
        about:
          'What backups are taken from: a replica, or none; a replica, else the primary; the primary. Default: replica, and primary where there is one member.',
      })
      .optional(),
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
