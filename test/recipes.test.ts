/** .github/RECIPES.md: the new commands run, and what the old ones make is compared where their tools are installed. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ENGINE_NEEDS, startEngine } from './support/docker.js';
import { asReader, blocks, documentText } from './support/document.js';
import { listDirectory } from './support/list-directory.js';
import { listTar } from './support/list-tar.js';
import { lines, type Row } from './support/listing.js';
import { needs } from './support/needs.js';
import { push, startRegistry } from './support/registry.js';

const RECIPES = documentText('.github/RECIPES.md');
const HEADINGS = [...RECIPES.matchAll(/^## (.*)$/gm)].map(([, heading]) => heading!);

type Reader = ReturnType<typeof asReader>;

function blockOf(heading: string, language = 'sh'): string {
  const found = blocks(RECIPES, language).find((block) => block.heading === heading);
  assert.ok(found, `${heading} has no block of ${language}`);
  return found.text;
}

/** The new commands of a recipe. */
function newOf(heading: string): string {
  return blockOf(heading).replace(/^#.*\n/gm, '');
}

/** The old ones that this machine can run: those of an engine are another test's. */
function oldOf(heading: string, program: RegExp): string {
  const old = [...blockOf(heading).matchAll(/^# (.*)$/gm)].map(([, command]) => command!);
  const chosen = old.filter((command) => program.test(command));
  assert.ok(chosen.length > 0);
  return chosen.join('\n');
}

function shell({ cwd, env }: Reader, script: string, more: NodeJS.ProcessEnv = {}): string {
  const { status, stdout, stderr } = spawnSync('/bin/sh', ['-e', '-c', script], {
    cwd,
    env: { ...env, PATH: `${env.PATH}:/usr/sbin:/sbin`, ...more },
    encoding: 'utf8',
  });
  assert.equal(status, 0, `${script}\n${stderr}`);
  return stdout;
}

/** Without what a file system or an unpacking tar adds or drops by itself: the root's time, and lost+found. */
function treeOf(rows: readonly Row[], { xattrs = true } = {}): string[] {
  const kept = rows.filter(({ path }) => path !== '.' && path !== 'lost+found');
  return lines(xattrs ? kept : kept.map((row) => ({ ...row, xattrs: new Map() })));
}

/** What is in a disk image, by a mount of the kernel. */
function mounted(reader: Reader, disk: string): Row[] {
  shell(reader, `mkdir -p seen && mount -o loop,ro ${disk} seen`);
  try {
    return listDirectory(join(reader.cwd, 'seen'));
  } finally {
    shell(reader, 'umount seen');
  }
}

function layersOf(reader: Reader, archive: string): string[] {
  return JSON.parse(shell(reader, `skopeo inspect docker-archive:${archive}`)).Layers;
}

interface Recipe {
  readonly needs: readonly string[];
  run(reader: Reader, heading: string, t: TestContext): void | Promise<void>;
}

const CHECKS: Readonly<Record<string, Recipe>> = {
  'docker export and docker import': {
    needs: [...ENGINE_NEEDS, 'python3', 'skopeo'],
    async run(reader, heading, t) {
      const { host } = await startEngine(t);
      const docker = { DOCKER_HOST: host };
      shell(reader, 'docker load -q -i image.tar && docker tag flatten/demo:latest app:1.0', docker);
      shell(reader, oldOf(heading, /^docker/), docker);
      const old = listTar(join(reader.cwd, 'rootfs.tar'));
      shell(reader, 'rm rootfs.tar');
      shell(reader, newOf(heading));
      const rows = listTar(join(reader.cwd, 'rootfs.tar'));
      const added = old.map(({ path }) => path).filter((path) => !rows.some((row) => row.path === path));
      assert.ok(added.includes('.dockerenv') && added.includes('dev/console'), added.join(' '));
      const theirs = old.filter(({ path }) => !added.includes(path));
      const untimed = (list: readonly Row[]) =>
        treeOf(list.map((row) => (row.kind === 'd' ? { ...row, mtime: 0n } : row)));
      assert.deepEqual(untimed(rows), untimed(theirs));
      const config = (where: string, more = {}) =>
        JSON.parse(shell(reader, `skopeo inspect --config ${where}`, more)).config;
      const before = config('docker-archive:image.tar');
      assert.ok(before.Env.length > 0);
      assert.deepEqual(config('docker-archive:flat.tar'), before);
      const imported = JSON.parse(shell(reader, 'docker image inspect app:flat', docker))[0].Config;
      assert.notDeepEqual(imported.Env ?? [], before.Env);
    },
  },
  'umoci unpack': {
    needs: ['root', 'umoci', 'skopeo'],
    run(reader, heading) {
      shell(reader, 'skopeo copy -q docker-archive:image.tar oci:layout:1.0');
      shell(reader, newOf(heading));
      shell(reader, oldOf(heading, /^umoci/));
      const [ours, theirs] = ['rootfs', 'bundle/rootfs'].map((path) =>
        treeOf(listDirectory(join(reader.cwd, path))),
      );
      assert.ok(ours!.length > 20);
      assert.deepEqual(ours, theirs);
    },
  },
  'crane export': {
    needs: ['python3'],
    run(reader, heading) {
      assert.match(shell(reader, newOf(heading)), /^etc\/passwd$/m);
      const rows = listTar(join(reader.cwd, 'rootfs.tar'));
      const paths = rows.map(({ path }) => path);
      assert.deepEqual(paths, [...paths].sort());
    },
  },
  'crane flatten': {
    needs: ['docker-registry', 'skopeo'],
    async run(reader, heading, t) {
      const registry = await startRegistry(t);
      const { host } = registry;
      await push(registry, `docker-archive:${join(reader.cwd, 'image.tar')}`, 'org/app:1.0');
      shell(reader, newOf(heading).replaceAll('ghcr.io', host));
      const inspected = shell(reader, `skopeo inspect --tls-verify=false docker://${host}/org/app:flat`);
      assert.equal(JSON.parse(inspected).Layers.length, 1);
    },
  },
  'docker-squash': {
    needs: ['skopeo'],
    run(reader, heading) {
      shell(reader, newOf(heading));
      const [before, after] = [layersOf(reader, 'image.tar'), layersOf(reader, 'squashed.tar')];
      assert.equal(after.length, before.length - 1);
      assert.deepEqual(after.slice(0, 2), before.slice(0, 2));
    },
  },
  tar2ext4: {
    needs: ['mke2fs'],
    run(reader, heading) {
      shell(reader, newOf(heading));
      assert.doesNotMatch(shell(reader, 'dumpe2fs -h rootfs.ext4 2>/dev/null'), /has_journal/);
      shell(reader, 'flatten verify rootfs.ext4 image.tar');
      const first = readFileSync(join(reader.cwd, 'rootfs.ext4'));
      shell(reader, newOf(heading).trimEnd().concat(' --force'));
      assert.ok(first.equals(readFileSync(join(reader.cwd, 'rootfs.ext4'))));
    },
  },
  'mke2fs of an unpacked tree': {
    needs: ['root', 'mke2fs'],
    run(reader, heading) {
      shell(reader, 'flatten image.tar -o rootfs.tar -q');
      shell(reader, oldOf(heading, /tar -xpf|mke2fs/));
      shell(reader, newOf(heading));
      const ours = mounted(reader, 'new.ext4');
      assert.deepEqual(
        treeOf(ours, { xattrs: false }),
        treeOf(mounted(reader, 'old.ext4'), { xattrs: false }),
      );
    },
  },
  "Heroku's make-filesystem-image": {
    needs: ['root', 'mke2fs'],
    run(reader, heading) {
      shell(reader, 'flatten image.tar -o rootfs.tar -q');
      shell(reader, oldOf(heading, /mkfs|mount/));
      shell(reader, newOf(heading));
      const [ours, theirs] = [mounted(reader, 'app.img'), mounted(reader, 'old.img')];
      assert.deepEqual(treeOf(ours, { xattrs: false }), treeOf(theirs, { xattrs: false }));
      const capable = (rows: readonly Row[]) =>
        rows.filter(({ xattrs }) => xattrs.has('security.capability')).length;
      assert.deepEqual([capable(ours), capable(theirs)], [1, 0]);
      const state = shell(reader, 'tune2fs -l app.img');
      assert.match(state, /Maximum mount count: +-1\n[\s\S]*Check interval: +0 /);
    },
  },
  Yocto: {
    needs: ['skopeo'],
    run(reader, heading) {
      const [, body] = /^do_image_oci\(\) \{\n([\s\S]*?)^\}$/m.exec(blockOf(heading, 'bitbake'))!;
      shell(reader, 'mkdir deploy && flatten image.tar -o deploy/core.tar.zst -q');
      const variables = { IMGDEPLOYDIR: join(reader.cwd, 'deploy'), IMAGE_LINK_NAME: 'core' };
      shell(reader, body!, variables);
      shell(reader, body!, variables); // a second build replaces the first
      const image = JSON.parse(
        shell(reader, 'skopeo inspect --config oci-archive:deploy/core.oci.tar:latest'),
      );
      assert.deepEqual([image.architecture, image.config.Cmd], ['arm64', ['/sbin/init']]);
    },
  },
  NixOS: {
    needs: ['mke2fs'],
    run(reader, heading) {
      shell(reader, 'gzip -c image.tar > store.tar.gz && ln -s store.tar.gz result');
      writeFileSync(join(reader.cwd, 'stream'), '#!/bin/sh\ncat image.tar\n');
      chmodSync(join(reader.cwd, 'stream'), 0o755);
      shell(reader, newOf(heading));
      for (const output of ['rootfs.tar', 'disk.img']) shell(reader, `flatten verify ${output} image.tar`);
    },
  },
  Firecracker: {
    needs: ['mke2fs'],
    run(reader, heading) {
      shell(reader, newOf(heading));
      const { 'boot-source': boot, drives } = JSON.parse(blockOf(heading, 'json'));
      const [, init] = / init=(\S+)/.exec(boot.boot_args)!;
      const [drive] = drives;
      assert.ok(existsSync(join(reader.cwd, drive.path_on_host)));
      const shown = shell(reader, `debugfs -R 'stat ${init}' ${drive.path_on_host} 2>&1`);
      assert.match(shown, /Type: regular +Mode: +0755/);
      for (const directory of ['dev', 'proc', 'sys', 'run'])
        assert.match(
          shell(reader, `debugfs -R 'stat /${directory}' ${drive.path_on_host} 2>&1`),
          /Type: directory/,
        );
      assert.match(shell(reader, `blkid -o value -s TYPE ${drive.path_on_host}`), /^ext4\n$/);
    },
  },
  cron: {
    needs: ['mke2fs'],
    run(reader, heading) {
      const [, command] = /^(?:\S+ +){5}(.*)$/m.exec(blockOf(heading, 'crontab'))!;
      mkdirSync(join(reader.cwd, 'app'));
      shell(reader, 'mv image.tar app/');
      const here = command!.replaceAll('/srv/app', join(reader.cwd, 'app'));
      for (let night = 1; night <= 2; night++) assert.equal(shell(reader, `{ ${here}; } 2>&1`), '');
      shell(reader, 'cd app && sha256sum -c disk.img.sha256');
      shell(reader, 'head -c 20000 app/image.tar > cut && mv cut app/image.tar');
      const disk = readFileSync(join(reader.cwd, 'app/disk.img'));
      const said = shell(reader, `! { ${here}; } 2>&1`);
      assert.match(said, /^flatten: error: /);
      assert.ok(disk.equals(readFileSync(join(reader.cwd, 'app/disk.img'))));
    },
  },
  'A loop over many images': {
    needs: ['root', 'mke2fs', 'skopeo', 'umoci'],
    run(reader, heading) {
      shell(reader, 'cp image.tar other.tar && mkdir bundles');
      shell(reader, oldOf(heading, /^for|^ls/));
      shell(reader, newOf(heading));
      for (const name of ['image', 'other']) {
        const [ours, theirs] = [`disks/${name}.ext4`, `${name}.ext4`].map((disk) => mounted(reader, disk));
        assert.deepEqual(treeOf(ours!, { xattrs: false }), treeOf(theirs!, { xattrs: false }));
      }
      const states = readFileSync(join(reader.cwd, 'report.jsonl'), 'utf8').match(/"state":"\w+"/g);
      assert.deepEqual(states, ['"state":"done"', '"state":"done"']);
    },
  },
  CI: {
    needs: ['mke2fs', 'root'],
    run(reader, heading) {
      const steps = [...blockOf(heading, 'yaml').matchAll(/^ {2}- run: (.*)$/gm)].map(([, step]) => step!);
      for (const step of steps.filter((each) => !each.startsWith('docker '))) shell(reader, step);
      const { digest } = JSON.parse(readFileSync(join(reader.cwd, 'disk.json'), 'utf8'));
      const sum = execFileSync('sha256sum', ['disk.img'], { cwd: reader.cwd, encoding: 'utf8' });
      assert.equal(digest, `sha256:${sum.split(' ')[0]}`);
    },
  },
};

test('every recipe is run here', () => {
  assert.deepEqual(Object.keys(CHECKS), HEADINGS);
});

for (const [heading, recipe] of Object.entries(CHECKS)) {
  test(`recipe: ${heading}`, { skip: needs(...recipe.needs) }, (t) => recipe.run(asReader(t), heading, t));
}
