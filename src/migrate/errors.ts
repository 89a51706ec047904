import { defineError } from '../base/errors.ts';

export const MigrateRefused = defineError('MIGRATE_REFUSED', 1);
