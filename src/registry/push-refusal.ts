import { FlattenError } from '../errors.js';
import { shown } from '../oci/shown.js';
import type { Answer } from './exchange.js';
import { type Asked, type Refusal, readRefusal, refused } from './refusal.js';

/** What registries say of a place that is full: Harbor and others have quotas. */
const FULL = /quota|storage (resource|limit)|exceed|too many|insufficient storage|no space/i;

/** The error for an answer that refuses what was to be pushed, with what to do. */
export async function pushRefused(answer: Answer, asked: Asked): Promise<FlattenError> {
  const refusal = await readRefusal(answer);
  const { what, host, credential } = asked;
  const { status, code, message } = refusal;
  const said = message === '' ? '' : ` (it says: ${message})`;
  if (status === 507 || (status !== 429 && FULL.test(message)))
    return new FlattenError('DENIED', `${what}: ${host} has no room for it${said}`, {
      hint: 'remove tags that nobody needs there, or ask whoever runs the registry for more',
    });
  if ((status === 401 && credential !== undefined) || status === 403) return denied(refusal, asked);
  if (status === 404)
    return new FlattenError('NOT_FOUND', `${what}: the registry has no such repository${said}`, {
      hint: 'make it there first; the registry does not make one by itself',
    });
  if (status === 405 || code === 'UNSUPPORTED')
    return new FlattenError('DENIED', `${what}: ${host} takes no images${said}`, {
      hint: 'it is read-only, or a mirror of another registry: name the one that images are pushed to',
    });
  if (status === 413)
    return new FlattenError('DENIED', `${what}: is too large for ${host}${said}`, {
      hint: 'whoever runs it can raise the limit; with nginx in front of it: client_max_body_size 0',
    });
  if (code === 'NAME_INVALID')
    return new FlattenError('USAGE', `${what}: is no name that ${host} takes${said}`, {
      hint: 'some want a project or a user before the name: docker://HOST/PROJECT/NAME:TAG',
    });
  return refused(refusal, asked);
}

/** Somebody is known there, or nobody has to be, and may not push. */
function denied({ message }: Refusal, { what, host, credential }: Asked): FlattenError {
  const who =
    credential === undefined
      ? 'who has not logged in may not push to it'
      : `the credentials of ${credential.from} are wrong, or do not give the right to push`;
  const name = what.replace(`${host}/`, '');
  const own = name.startsWith('library/')
    ? `docker.io/library is Docker's own: name it docker://USER/${shown(name.slice('library/'.length))}, or `
    : '';
  return new FlattenError(
    'DENIED',
    `${what}: the registry denies it, ${who}${message === '' ? '' : ` (it says: ${message})`}`,
    { hint: `${own}log in as somebody who may: docker login ${host}, or podman login ${host}` },
  );
}
