import type { Secrets } from '../spec/secrets.ts';
import type { Spec } from '../spec/spec.ts';

/** One way to run a deployment, as `holdfast render NAME`: a pure function from spec to files. */
export interface Target {
  readonly name: string;
  /** One line for `render --help`. */
  readonly summary: string;
  /** What `--set name=value` may say, beyond the spec. */
  readonly options?: readonly TargetOption[];
  render(input: TargetInput): RenderedFile[];
}

export interface TargetOption {
  readonly name: string;
  readonly about: string;
  /** Undefined: it must be given. */
  readonly default: string | undefined;
}

export interface TargetInput {
  spec: Spec;
  secrets: Secrets;
  paths: TargetPaths;
  /** Only what this host runs; null for all hosts. */
  host: string | null;
  /** The target's options, with their defaults filled in. */
  options: Record<string, string>;
}

/** Where the processes of a host keep their files; all paths are absolute. */
export interface TargetPaths {
  /** The state directory. */
  root: string;
  /** The spec file. */
  specFile: string;
  member(id: string): { dataDir: string; aclFile: string; socket: string };
  sentinel(id: string): { folder: string };
  gate(id: string): { socket: string };
}

export interface RenderedFile {
  /** Relative, with forward slashes. */
  name: string;
  text: string;
  /** It holds passwords: mode 0600. */
  secret: boolean;
}

/** Those of `places` that the input asks for. */
export function placesOf<T extends { host: string }>(
  { host }: TargetInput,
  places: readonly T[],
): readonly T[] {
  return host === null ? places : places.filter((place) => place.host === host);
}
