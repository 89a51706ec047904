import { addressKind } from '../../spec/address.ts';
import type { Backup, Spec } from '../../spec/spec.ts';
import { TargetRefused } from '../errors.ts';
import type { Target } from '../target.ts';

/**
 * Terraform in JSON: a network load balancer in front of the gates, and the bucket of the backups with the least rights
 * that holdfast needs there. Servers and networks are yours: their ids are variables.
 */
export const awsTarget: Target = {
  name: 'aws',
  summary: 'Terraform: a network load balancer for the gates, the backup bucket and its policy',
  options: [{ name: 'public', about: 'true: the load balancer faces the internet', default: 'false' }],
  render({ spec, options }) {
    const bucket = bucketOf(spec.backup);
    const document = {
      '//': `${spec.name}, made by holdfast. Terraform reads it as main.tf.json.`,
      terraform: { required_providers: { aws: { source: 'hashicorp/aws', version: '>= 5.0' } } },
      variable: {
        vpc_id: { type: 'string', description: 'The VPC of the hosts.' },
        subnet_ids: {
          type: 'list(string)',
          description: 'Subnets of the load balancer, one in each zone of a gate.',
        },
      },
      resource: {
        ...loadBalancer(spec, options['public'] === 'true'),
        ...(bucket === null ? {} : storage(spec, bucket)),
      },
      output: {
        address: { value: '${aws_lb.gate.dns_name}', description: 'What clients connect to.' },
        ...(bucket === null
          ? {}
          : {
              backup_policy_arn: {
                value: '${aws_iam_policy.backup.arn}',
                description: 'Attach it to the role of the hosts.',
              },
            }),
      },
    };
    return [{ name: 'main.tf.json', text: `${JSON.stringify(document, null, 2)}\n`, secret: false }];
  },
};

function loadBalancer(spec: Spec, isPublic: boolean): Record<string, unknown> {
  const wrong = spec.gates.find(({ address }) => addressKind(address) !== 'ip');
  if (spec.laptop || spec.gates.length === 0 || wrong) {
    throw TargetRefused(
      'a network load balancer needs gates on hosts with IP addresses; this spec has none',
      {
        hint: 'Give the spec hosts with the private addresses of your instances.',
      },
    );
  }
  const listeners = [
    { name: 'rw', port: (gate: Spec['gates'][number]) => gate.port },
    { name: 'ro', port: (gate: Spec['gates'][number]) => gate.replicaPort },
  ].filter(({ port }) => spec.gates.some((gate) => port(gate) !== null));
  const each = <T>(make: (name: string, port: number) => T) =>
    Object.fromEntries(
      listeners.map(({ name, port }) => [
        name,
        make(name, port(spec.gates[0] as Spec['gates'][number]) ?? 0),
      ]),
    );
  return {
    aws_lb: {
      gate: {
        name: awsName(spec.name, 'gate'),
        load_balancer_type: 'network',
        internal: !isPublic,
        subnets: '${var.subnet_ids}',
        enable_cross_zone_load_balancing: true,
      },
    },
    aws_lb_target_group: each((name, port) => ({
      name: awsName(spec.name, name),
      port,
      protocol: 'TCP',
      target_type: 'ip',
      vpc_id: '${var.vpc_id}',
      // The gate takes connections as long as it serves, also while it holds: a failover must not empty the group.
      health_check: {
        protocol: 'TCP',
        port: 'traffic-port',
        interval: 10,
        healthy_threshold: 2,
        unhealthy_threshold: 2,
      },
      deregistration_delay: 30,
      // A gate that is gone ends its connections at once; clients come back to another.
      connection_termination: true,
      preserve_client_ip: true,
    })),
    aws_lb_listener: each((name, port) => ({
      load_balancer_arn: '${aws_lb.gate.arn}',
      port,
      protocol: 'TCP',
      default_action: { type: 'forward', target_group_arn: `\${aws_lb_target_group.${name}.arn}` },
      // Redis connections may be idle: the longest that a network load balancer allows, in seconds.
      tcp_idle_timeout_seconds: 6000,
    })),
    aws_lb_target_group_attachment: Object.fromEntries(
      listeners.flatMap(({ name, port }) =>
        spec.gates.map((gate) => [
          `${name}-${gate.id}`,
          {
            target_group_arn: `\${aws_lb_target_group.${name}.arn}`,
            target_id: gate.address,
            port: port(gate),
          },
        ]),
      ),
    ),
  };
}

interface Bucket {
  name: string;
  /** With a slash at the end, or empty. */
  prefix: string;
}

function bucketOf(backup: Backup | null): Bucket | null {
  const match = /^s3:\/\/([^/]+)\/?(.*)$/.exec(backup?.to ?? '');
  if (!match) return null;
  const prefix = match[2] ?? '';
  return { name: match[1] as string, prefix: prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/` };
}

/** Retention is holdfast's own; the lifecycle only clears what an interrupted upload or a deletion leaves behind. */
function storage(spec: Spec, { name, prefix }: Bucket): Record<string, unknown> {
  const bucket = '${aws_s3_bucket.backup.id}';
  const arn = '${aws_s3_bucket.backup.arn}';
  const condition = prefix === '' ? {} : { Condition: { StringLike: { 's3:prefix': [`${prefix}*`] } } };
  const policy = {
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Action: ['s3:ListBucket', 's3:ListBucketMultipartUploads'],
        Resource: arn,
        ...condition,
      },
      {
        Effect: 'Allow',
        Action: ['s3:GetObject', 's3:PutObject', 's3:DeleteObject', 's3:AbortMultipartUpload'],
        Resource: `${arn}/${prefix}*`,
      },
    ],
  };
  const onlyTls = {
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Deny',
        Principal: '*',
        Action: 's3:*',
        Resource: [arn, `${arn}/*`],
        Condition: { Bool: { 'aws:SecureTransport': 'false' } },
      },
    ],
  };
  return {
    aws_s3_bucket: { backup: { bucket: name } },
    aws_s3_bucket_public_access_block: {
      backup: {
        bucket,
        block_public_acls: true,
        block_public_policy: true,
        ignore_public_acls: true,
        restrict_public_buckets: true,
      },
    },
    aws_s3_bucket_server_side_encryption_configuration: {
      backup: { bucket, rule: { apply_server_side_encryption_by_default: { sse_algorithm: 'AES256' } } },
    },
    aws_s3_bucket_versioning: { backup: { bucket, versioning_configuration: { status: 'Enabled' } } },
    aws_s3_bucket_lifecycle_configuration: {
      backup: {
        bucket,
        rule: {
          id: 'what-is-left-behind',
          status: 'Enabled',
          filter: { prefix },
          abort_incomplete_multipart_upload: { days_after_initiation: 1 },
          noncurrent_version_expiration: { noncurrent_days: 7 },
        },
      },
    },
    aws_s3_bucket_policy: { backup: { bucket, policy: JSON.stringify(onlyTls) } },
    aws_iam_policy: { backup: { name: awsName(spec.name, 'backup'), policy: JSON.stringify(policy) } },
  };
}

/** Load balancers and target groups: letters, digits and '-', at most 32. */
function awsName(name: string, suffix: string): string {
  const plain = `${name.replaceAll(/[^A-Za-z0-9-]/g, '-').slice(0, 31 - suffix.length)}-${suffix}`;
  return plain.replace(/^-+/, '');
}
