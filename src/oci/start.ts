import { RunConfig } from './change/run-config.js';
import type { ImageConfig } from './config.js';
import { Fields } from './fields.js';
import { JsonText } from './json-text.js';

/** What an image's config says of how it is started. Source: the image specification, config.md, `config`. */
export interface Start {
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
  /** An absolute path; `/` where the config names none. */
  readonly workingDir: string;
  /** As the config has it: `USER[:GROUP]`, names or numbers; empty for root. */
  readonly user: string;
  /** `NAME=VALUE`, each name once, the last value of it; `PATH` is there in any case, as engines have it. */
  readonly env: readonly string[];
  readonly stopSignal?: string;
  /** As `8080/tcp`. */
  readonly exposedPorts: readonly string[];
  readonly volumes: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

/** What Docker gives a program whose image names no `PATH`. */
const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Throws `BAD_IMAGE` where a field has not the shape that it must have. */
export function startOf({ text }: ImageConfig): Start {
  const config = new RunConfig(Fields.of(Fields.of(new JsonText(text)).get('config')));
  const workingDir = config.text('WorkingDir');
  const stopSignal = config.text('StopSignal');
  return {
    entrypoint: config.list('Entrypoint'),
    cmd: config.list('Cmd'),
    workingDir: workingDir.startsWith('/') ? workingDir : `/${workingDir}`,
    user: config.text('User'),
    env: environment(config.list('Env')),
    ...(stopSignal !== '' && { stopSignal }),
    exposedPorts: config.keys('ExposedPorts'),
    volumes: config.keys('Volumes'),
    labels: config.texts('Labels'),
  };
}

function environment(variables: readonly string[]): string[] {
  const byName = new Map(variables.map((variable) => [variable.split('=', 1)[0]!, variable]));
  return byName.has('PATH') ? [...byName.values()] : [PATH, ...byName.values()];
}
