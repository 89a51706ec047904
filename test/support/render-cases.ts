import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { RenderedFile } from '../../src/render/target.ts';
import { targetNamed, targetOptions } from '../../src/render/targets.ts';
import { parseSpec } from '../../src/spec/parse.ts';
import { deriveSecrets } from '../../src/spec/secrets.ts';
import type { Spec } from '../../src/spec/spec.ts';

/** A password with everything that some file format takes amiss. */
export const awkwardPassword = `p"a\\s$s #w'ö {{rd}} \${x} %h`;

export const caseSpecs: Record<string, string> = {
  quickstart: 'examples/quickstart.yaml',
  'three-hosts': 'examples/three-hosts.yaml',
  everything: 'test/fixtures/specs/everything.yaml',
};

export function caseSpec(name: string): Spec {
  const file = caseSpecs[name] as string;
  // An absolute name would put this machine's folders into the snapshots.
  return parseSpec(readFileSync(file, 'utf8'), path.join('/etc/holdfast', path.basename(file)));
}

/** What `holdfast render` makes of a spec with fixed secrets and paths. */
export function renderCase(target: string, spec: Spec, set: string[] = []): RenderedFile[] {
  const users = Object.fromEntries(spec.security.users.map(({ name }) => [name, awkwardPassword]));
  const root = `/var/lib/holdfast/${spec.name}`;
  const found = targetNamed(target);
  return found.render({
    spec,
    secrets: deriveSecrets(spec, 'a secret for tests', users),
    host: null,
    options: targetOptions(found, set),
    paths: {
      root,
      specFile: `/etc/holdfast/${spec.name}.yaml`,
      member: (id) => ({
        dataDir: `${root}/members/${id}/data`,
        aclFile: `${root}/members/${id}/users.acl`,
        socket: `${root}/members/${id}/sock`,
      }),
      sentinel: (id) => ({ folder: `${root}/sentinels/${id}` }),
      gate: (id) => ({ socket: `${root}/gates/${id}/sock` }),
    },
  });
}

export function fileNamed(files: readonly RenderedFile[], name: string): RenderedFile {
  const file = files.find((each) => each.name === name);
  if (!file) throw new Error(`no ${name} among ${files.map((each) => each.name).join(', ')}`);
  return file;
}
