import * as field from '../fields.ts';

export const mirrorTopologySchema = field.section(
  {
    ack: field
      .choice(['one', 'quorum', 'all'], {
        about:
          'When a write is acknowledged: the member that leads has it, most of those in sync, or all of those in sync.',
        default: 'one',
      })
      .optional(),
    read: field
      .choice(['local', 'lead', 'quorum'], {
        about: 'The read-only port: members that follow within gate.maxLag, or the one that leads.',
        default: 'local',
      })
      .optional(),
    onSplit: field
      .choice(['refuse', 'serve'], {
        about: 'What a member does that is cut off from most voters.',
        default: 'refuse',
      })
      .optional(),
  },
  'With topology: mirror, what its members promise.',
);
