import type { Command } from 'commander';
import { writeFileAtomic } from '../base/atomic-file.ts';
import { CertificatesNotOurs } from '../certs/errors.ts';
import { ownClientCertificate } from '../certs/own-authority.ts';
import { readCertificates, type ShownCertificate } from '../certs/read-certificates.ts';
import { loadSpec } from '../spec/load.ts';
import { specElsewhere } from './elsewhere.ts';
import { BadOption } from './errors.ts';
import type { Output } from './output.ts';
import { table } from './table.ts';
import { action, type CommonOptions, specArgument, stateDirOption, verb } from './verb.ts';

interface CertsOptions extends CommonOptions {
  stateDir?: string;
  yes?: boolean;
  out?: string;
}

/** `holdfast certs`: who has which certificate and until when, and others. */
export function certsVerb(): Command {
  const group = verb('certs', 'certificates: who has which and until when, and their renewal', [
    ['holdfast certs prod.yaml', 'every certificate, for whom it is good, and until when'],
    ['holdfast certs renew prod.yaml', 'all anew (security.tls: auto), while everything runs'],
    ['holdfast certs client shop --out shop.pem', 'one for a program (gate.clientCertificates: required)'],
  ]);
  return group.addCommand(showVerb(), { isDefault: true }).addCommand(renewVerb()).addCommand(clientVerb());
}

function showVerb(): Command {
  return verb(
    'show',
    'who has which certificate and until when; status 3 when one has ended or can’t be read',
    [['holdfast certs show', 'those that the spec names, or holdfast made']],
  )
    .argument(...specArgument)
    .action(
      action<CertsOptions>(async (output, [file = '']) => {
        const nowMs = Date.now();
        const all = readCertificates(await loadSpec(file));
        const rows = all.map((each) => [each.of, each.names.join(' '), untilWhen(each, nowMs), each.file]);
        const heading = ['OF', 'GOOD FOR', 'UNTIL', 'FILE'];
        if (all.length === 0) output.line('There are none: the spec has no security.tls and no agent.tls.');
        else for (const line of table([heading, ...rows])) output.line(line);
        output.data(all);
        return all.some(({ validTo }) => validTo === null || Date.parse(validTo) <= nowMs) ? 3 : 0;
      }),
    );
}

function untilWhen({ validTo, error }: ShownCertificate, nowMs: number): string {
  if (validTo === null) return error ?? 'unknown';
  const days = Math.floor((Date.parse(validTo) - nowMs) / 86_400_000);
  return `${validTo.slice(0, 10)} (${days < 0 ? 'ended' : `${days} days`})`;
}

function renewVerb(): Command {
  return verb(
    'renew',
    'make every certificate of the deployment’s own authority anew, while everything runs',
    [
      ['holdfast certs renew', 'on this machine; no client is disconnected'],
      [
        'holdfast certs renew prod.yaml --yes',
        'on hosts reached by ssh, as holdfast apply does, without asking',
      ],
    ],
  )
    .argument(...specArgument)
    .option('-y, --yes', 'do not ask')
    .addOption(stateDirOption())
    .action(
      action<CertsOptions>(async (output, [file = ''], options) => {
        const spec = await specElsewhere(file, options);
        if ((spec ?? (await loadSpec(file))).security.authority === null) throw notOurs();
        if (spec === null) return renewHere(output, file, options);
        const { applyToHosts } = await import('./apply-hosts.ts');
        return applyToHosts(output, spec, file, { yes: options.yes === true, renewCertificates: true });
      }),
    );
}

function clientVerb(): Command {
  return verb('client', 'make a certificate for a program, where gates ask clients for one', [
    [
      'holdfast certs client shop prod.yaml --out shop.pem',
      'certificate and key in one file, good for a year',
    ],
  ])
    .argument('<name>', 'whose it is: it stands in the certificate')
    .argument(...specArgument)
    .requiredOption('--out <file>', 'where to; mode 0600')
    .action(
      action<CertsOptions>(async (output, [name = '', file = ''], { out = '' }) => {
        const spec = await loadSpec(file);
        const { authority } = spec.security;
        if (authority === null) throw notOurs();
        if (!/^[\w.@-]{1,40}$/.test(name)) {
          throw BadOption(`'${name.slice(0, 60)}' is no name for a certificate`, {
            hint: "Letters, digits, '_', '.', '@' and '-', at most 40.",
          });
        }
        await writeFileAtomic(out, ownClientCertificate(spec, authority, name, Date.now()));
        output.line(`${out} has the certificate of ${name} and its key. Nothing else keeps them.`);
        output.data({ name, file: out });
      }),
    );
}

function notOurs(): Error {
  return CertificatesNotOurs(
    'the certificates are not holdfast’s to renew: the spec does not say security.tls: auto',
    {
      hint: 'Put renewed files in the place of those that it names: they are taken up while everything runs; Sentinels are restarted for it.',
    },
  );
}

async function renewHere(output: Output, file: string, options: CertsOptions): Promise<number> {
  const [{ openTarget }, { certificatesOf, keep }] = await Promise.all([
    import('./target.ts'),
    import('./own-certificates.ts'),
  ]);
  const { spec, agent } = await openTarget(file, options);
  const certificates = certificatesOf(spec, spec.hosts, 'all');
  await keep(spec, certificates);
  const runs = await agent.status().then(
    () => true,
    () => false,
  );
  // They read it when they start; one after the other, so that the others can elect meanwhile.
  if (runs)
    for (const { id } of spec.sentinels)
      await agent.run('restart', { member: id }, (step) => output.note(`  ${output.colors.dim(step)}`));
  output.line(`${spec.name} has new certificates${runs ? '; what runs goes on with them' : ''}.`);
  output.data({ name: spec.name, renewed: certificates?.renewed ?? [], running: runs });
  return 0;
}
