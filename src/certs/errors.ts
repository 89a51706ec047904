import { defineError } from '../base/errors.ts';

export const AuthorityUnusable = defineError('AUTHORITY_UNUSABLE', 1);
export const CertificatesNotOurs = defineError('CERTIFICATES_NOT_OURS', 2);
