/**
 * Bytes that the path of a Unix socket may have on every system: sun_path of unix(7) has 108 with its end on Linux, 104 elsewhere. Of
 * a longer one Node takes the beginning without a word.
 */
export const longestSocketPath = 103;
