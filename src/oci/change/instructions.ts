import { posix } from 'node:path';
import { jsonArray, parseCommand } from './command.js';
import { expand } from './expand.js';
import { parseHealthcheck } from './healthcheck.js';
import { parsePorts } from './port.js';
import type { RunConfig } from './run-config.js';
import { signalNumber } from './signal.js';
import { splitPairs } from './words.js';

/** Carries out one instruction; `text` is what follows its keyword. Throws an Error that says what is wrong. */
type Instruction = (config: RunConfig, text: string) => void;

/**
 * The instructions that `docker import --change` takes, each with what it does there.
 * Source: moby, daemon/builder/dockerfile, dispatchers.go; BuildKit, frontend/dockerfile/instructions.
 */
export const INSTRUCTIONS: ReadonlyMap<string, Instruction> = new Map<string, Instruction>([
  ['CMD', command],
  ['ENTRYPOINT', entrypoint],
  ['ENV', (config, text) => config.setVariables(pairsOf(config, text))],
  ['EXPOSE', expose],
  ['HEALTHCHECK', (config, text) => config.set('Healthcheck', parseHealthcheck(text))],
  ['LABEL', (config, text) => config.merge('Labels', pairsOf(config, text))],
  ['ONBUILD', (config, text) => config.set('OnBuild', [...config.list('OnBuild'), trigger(text)])],
  ['STOPSIGNAL', stopSignal],
  ['USER', (config, text) => config.set('User', nonEmpty(expand(text, config.lookup)))],
  ['VOLUME', volume],
  ['WORKDIR', workdir],
]);

/** What a Dockerfile may hold and ONBUILD may put off. */
const TRIGGERS =
  'ADD ARG CMD COPY ENTRYPOINT ENV EXPOSE HEALTHCHECK LABEL RUN SHELL STOPSIGNAL USER VOLUME WORKDIR'.split(
    ' ',
  );

const DEFAULT_SHELL = ['/bin/sh', '-c'];

function command(config: RunConfig, text: string): void {
  config.set('Cmd', resolved(config, text));
  config.hasCommand = true;
}

/** A command that was there before belonged to the old entry point. */
function entrypoint(config: RunConfig, text: string): void {
  config.set('Entrypoint', resolved(config, text));
  if (!config.hasCommand) config.set('Cmd', undefined);
}

function resolved(config: RunConfig, text: string): readonly string[] {
  const { words, isShell } = parseCommand(text);
  if (!isShell) return words;
  const shell = config.list('Shell');
  return [...(shell.length > 0 ? shell : DEFAULT_SHELL), ...words];
}

function pairsOf(config: RunConfig, text: string): [string, string][] {
  const pairs = splitPairs(text);
  if (pairs === undefined) throw new Error('its form is NAME=VALUE …');
  const { lookup } = config;
  return pairs.map(([name, value]) => [nonEmpty(expand(name, lookup)), expand(value, lookup)]);
}

function expose(config: RunConfig, text: string): void {
  const { lookup } = config;
  const words = text.split(/\s+/).flatMap((word) => expand(word, lookup).split(/\s+/));
  config.merge(
    'ExposedPorts',
    words.filter(Boolean).flatMap((word) => parsePorts(word).map((port) => [port, {}] as const)),
  );
}

function trigger(text: string): string {
  const [keyword] = text.split(/\s/, 1) as [string];
  if (!TRIGGERS.includes(keyword.toUpperCase())) throw new Error(`${keyword} cannot be put off by it`);
  return text;
}

function stopSignal(config: RunConfig, text: string): void {
  const signal = expand(text, config.lookup);
  if (signalNumber(signal) === undefined)
    throw new Error(`${signal || 'nothing'} is not a signal, as SIGTERM or 15`);
  config.set('StopSignal', signal);
}

function volume(config: RunConfig, text: string): void {
  const { lookup } = config;
  const paths = (jsonArray(text) ?? text.split(/\s+/)).map((path) => nonEmpty(expand(path, lookup).trim()));
  if (paths.length === 0) throw new Error('no path');
  config.merge(
    'Volumes',
    paths.map((path) => [path, {}] as const),
  );
}

/** A relative path begins where the one before ended. */
function workdir(config: RunConfig, text: string): void {
  const path = nonEmpty(expand(text, config.lookup));
  config.set('WorkingDir', path.startsWith('/') ? path : posix.join('/', config.text('WorkingDir'), path));
}

function nonEmpty(text: string): string {
  if (text === '') throw new Error('an empty name');
  return text;
}
