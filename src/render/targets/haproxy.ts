import { renderHaproxyCfg } from '../haproxy-cfg.ts';
import { placesOf, type Target } from '../target.ts';

/** haproxy.cfg of each gate, whichever kind the spec has: to try HAProxy, or to run it without an agent. */
export const haproxyTarget: Target = {
  name: 'haproxy',
  summary: 'haproxy.cfg of each gate',
  render(input) {
    const { spec, secrets, paths } = input;
    return placesOf(input, spec.gates).map((gate) => {
      const text = renderHaproxyCfg({ spec, gate, secrets, adminSocket: paths.gate(gate.id).socket });
      return { name: `${gate.id}/haproxy.cfg`, text, secret: true };
    });
  },
};
