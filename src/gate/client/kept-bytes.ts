/**
 * What is kept of a client counts with what keeping it takes beside its bytes: measured with Node 20, 51 bytes for a name in a
 * set, 106 for an argument and 149 for a queued request as buffers of their own. Short ones would else cost ten times what they count.
 */
export const besideAName = 64;
export const besideABuffer = 128;
