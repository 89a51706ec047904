import * as field from '../fields.ts';

export const mirrorTopologySchema = field.section(
  {
    ack: field
      .choice(['one', 'quorum', 'all'], {
        about:
          'When a write is acknowledged: the member that leads has it, most of those that are in sync, or all of them. Only one that is in sync may lead.',
        default: 'one',
      })
      .optional(),
    read: field
      .choice(['local', 'lead', 'quorum'], {
        about:
          'The read-only port: members that follow within gate.maxLag, or the one that leads; with quorum those in sync have to say behind each read that it does.',
        default: 'local',
      })
      .optional(),
    onSplit: field
      .choice(['refuse', 'serve'], {
        about:
          'Of what a lead took that was cut off from most voters and replaced, which with ack: one it has acknowledged. refuse: it is gone. serve: it is kept in a file when the member comes back. Without Sentinels serve also has another member lead by itself.',
        default: 'refuse',
      })
      .optional(),
  },
  'With topology: mirror, what its members promise.',
);
