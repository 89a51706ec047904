/**
 * Whether so many of these hold: true as soon as they do, false once too few can. Nobody else is waited for. One that fails does
 * not hold.
 */
export function enough(holding: readonly Promise<boolean>[], needed: number): Promise<boolean> {
  return new Promise((resolve) => {
    let [hold, open] = [0, holding.length];
    const look = () => {
      if (hold >= needed) resolve(true);
      else if (hold + open < needed) resolve(false);
    };
    const settle = (holds: boolean) => {
      open--;
      if (holds) hold++;
      look();
    };
    for (const each of holding) each.then(settle, () => settle(false));
    look();
  });
}
