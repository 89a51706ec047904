import { writeRequest } from '../../resp/write.ts';

/** Requests that the gate makes itself, written once. */
export const pingRequest = writeRequest(['PING']);
