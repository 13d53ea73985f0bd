/** What an image says beyond what flatten reads goes on as it stood, digit for digit. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { flatten } from '../../../src/flatten.js';
import { layer, put } from '../../sources/opening.js';
import { dockerFiles, tarOf } from '../../support/image.js';
import { sha256 } from '../../support/listing.js';
import { scratch } from '../../support/scratch.js';
import { untar } from './made.js';

const DEEP = `${'['.repeat(9000)}${']'.repeat(9000)}`;
const ODD = `"os.features":${DEEP},"Size":18014398509481985,"Ratio":1.0,"E":1e+400,"x":{"10":"\\ud800","2":-0,"a":1,"a":2}`;
const LABELS = '"Labels":{"10":"a","2":"b","__proto__":"p"}';

/** An archive whose config has odd fields. */
function oddImage(t: TestContext, top: string, run: string): string {
  const change = (files: Map<string, Buffer>) => {
    const [saved] = JSON.parse(files.get('manifest.json')!.toString());
    const text = files.get(saved.Config)!.toString();
    const config = Buffer.from(text.replace(/^\{/, `{${top},`).replace(/"config":\{/, `"config":{${run},`));
    files.delete(saved.Config);
    const Config = `${sha256(config)}.json`;
    files.set(Config, config);
    files.set('manifest.json', Buffer.from(JSON.stringify([{ ...saved, Config }])));
  };
  return put(t, tarOf(dockerFiles([layer('a')], '1.10', { change })));
}

test('numbers, keys and depth of a config come through in every form', async (t) => {
  const input = oddImage(t, ODD, LABELS);
  const directory = scratch(t);
  await flatten({ input, output: `oci:${directory}/oci:x`, image: { changes: ['USER web'] } });
  const index = readFileSync(join(directory, 'oci/index.json'), 'utf8');
  assert.ok(index.includes(`"os.features":${DEEP}`));
  const blob = (digest: string) =>
    readFileSync(join(directory, 'oci/blobs', digest.replace(':', '/')), 'utf8');
  const config = blob(JSON.parse(blob(JSON.parse(index).manifests[0].digest)).config.digest);
  assert.ok(config.startsWith(`{${ODD},`));
  assert.ok(config.includes(`"config":{${LABELS},"Cmd":["/bin/sh"],"User":"web"}`));

  for (const format of ['docker-archive', 'docker-archive-v1'] as const) {
    const output = join(directory, `${format}.tar`);
    await flatten({ input, output: `docker-archive:${output}:x:y`, format });
    const files = untar(output, join(directory, format));
    const top = JSON.parse(readFileSync(join(files, 'repositories'), 'utf8')).x.y;
    assert.ok(readFileSync(join(files, top, 'json'), 'utf8').includes(ODD), format);
    const again = join(directory, `${format}-again.tar`);
    await flatten({ input: output, output: `docker-archive:${again}:x:y` });
    const found = execFileSync('tar', ['-xOf', again, '--wildcards', '--no-wildcards-match-slash', '*.json']);
    assert.ok(found.includes(LABELS), format);
    assert.ok(found.includes('"Ratio":1.0,"E":1e+400'), format);
  }
});

test('a config that is nested deeper than engines read is an error in words', async (t) => {
  const input = oddImage(t, `"x":${'['.repeat(20_000)}${']'.repeat(20_000)}`, '"User":""');
  await assert.rejects(flatten({ input, output: `oci:${scratch(t)}/oci` }), {
    code: 'BAD_IMAGE',
    message: /^[0-9a-f]{64}\.json: is nested more than 10000 deep, which no engine reads$/,
  });
});
