/** Real archives, by way of a registry: what comes out of it is what skopeo copies to a layout. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { needs } from '../support/needs.js';
import { run } from '../support/program.js';
import { pathOf, realArchives, realSuite } from '../support/real-images.js';
import { push, startRegistry } from '../support/registry.js';
import { scratch } from '../support/scratch.js';

/** Whiteouts, opaque directories, hard links, missing parents, small base images, and one that is nearly empty. */
const SOME =
  /alpine-31[01]|opq-whiteouts-busybox|whiteout_image|overwritten_file|image__hardlink|testdata__pause|busybox-docker|busybox-jib|noparents|with-volume/;

realSuite('real archives that a registry takes', () => {
  const skip = needs('docker-registry', 'skopeo');
  test('give the same tree from there as from a layout', { skip }, async (t) => {
    const registry = await startRegistry(t);
    let compared = 0;
    for (const [count, archive] of realArchives().entries()) {
      if (!SOME.test(archive.file) || archive.images.length !== 1) continue;
      const cwd = scratch(t);
      const transport = archive.format === 'OCI layout' ? 'oci-archive' : 'docker-archive';
      // Skopeo does not read all that flatten does, and a registry does not take all that skopeo reads.
      if (
        !(await push(registry, `${transport}:${pathOf(archive)}`, `app${count}:1`).then(
          () => true,
          () => false,
        ))
      )
        continue;
      const from = `docker://${registry.host}/app${count}:1`;
      execFileSync('skopeo', [
        '--insecure-policy',
        'copy',
        '-q',
        '--src-tls-verify=false',
        from,
        `oci:${cwd}/layout:1`,
      ]);
      for (const [input, output] of [
        [from, 'a.tar'],
        ['oci:layout:1', 'b.tar'],
      ] as const) {
        const { code, stderr } = run([input, '-o', output], { cwd });
        assert.equal(code, 0, `${archive.file}: ${stderr}`);
      }
      assert.ok(readFileSync(join(cwd, 'a.tar')).equals(readFileSync(join(cwd, 'b.tar'))), archive.file);
      compared++;
    }
    t.diagnostic(`${compared} archives are compared`);
    assert.ok(compared >= 5, `${compared} were compared`);
  });
});
