/** Who everything runs as on hosts, unless the spec says otherwise (`runAs`). */
export const usualUser = 'holdfast';
