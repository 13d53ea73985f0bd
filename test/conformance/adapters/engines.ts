import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ENGINE_NEEDS, startEngine } from '../../support/docker.js';
import { until } from '../../support/until.js';
import type { Adapter, Cleanup } from './adapter.js';

const startDocker = async (cleanup: Cleanup) => ({ DOCKER_HOST: (await startEngine(cleanup)).host });

/** What Docker puts into every container. */
const INIT = ['.dockerenv', 'dev', 'dev/console', 'dev/pts', 'dev/shm', 'etc', 'etc/hostname', 'etc/hosts'];
INIT.push('etc/mtab', 'etc/resolv.conf', 'proc', 'sys');

/** The layers as Docker unpacked them, mounted as it mounts them for a container. */
const DOCKER_OVERLAY: Adapter = {
  name: 'Docker, overlay2',
  needs: [...ENGINE_NEEDS, 'mount'],
  version: "docker version -f '{{.Server.Version}}'",
  form: 'docker-archive',
  start: startDocker,
  how: {
    run: `docker load -q -i {image} &&
      layers=$(docker image inspect -f '{{.GraphDriver.Data.UpperDir}}:{{.GraphDriver.Data.LowerDir}}' {reference}) &&
      mkdir {rootfs} {bundle}/none &&
      mount -t overlay overlay -o "ro,lowerdir=\${layers%:<no value>}:{bundle}/none" {rootfs}`,
    after: 'umount {rootfs}; docker rmi -f {reference}',
  },
};

const DOCKER_EXPORT: Adapter = {
  name: 'docker export',
  needs: ENGINE_NEEDS,
  version: DOCKER_OVERLAY.version,
  form: 'docker-archive',
  start: startDocker,
  how: {
    run: 'docker load -q -i {image} && docker create {reference} >{bundle}/id && docker export $(cat {bundle}/id) >{rootfs}',
    after: 'docker rm $(cat {bundle}/id); docker rmi -f {reference}',
    output: 'tar',
    adds: (path) => INIT.includes(path),
    touches: ['.', 'dev', 'etc'],
  },
};

/** Storage of its own, which podman and buildah mount on itself. */
async function ownStorage(cleanup: Cleanup, place: string) {
  cleanup.after(() => spawnSync('umount', ['-l', join(place, 'root/overlay')]));
  return { STORAGE: `--root ${place}/root --runroot ${place}/run --storage-driver overlay` };
}

const PODMAN: Adapter = {
  name: 'podman, overlay',
  needs: ['root', 'podman', 'mount'],
  version: 'podman --version',
  form: 'docker-archive',
  start: ownStorage,
  how: {
    run: `podman $STORAGE load -q -i {image} && mkdir {rootfs} &&
      mount --bind "$(podman $STORAGE image mount localhost/{reference})" {rootfs}`,
    after: `umount {rootfs}; podman $STORAGE image umount localhost/{reference}; podman $STORAGE rmi -f localhost/{reference}`,
  },
};

const BUILDAH: Adapter = {
  name: 'buildah, overlay',
  needs: ['root', 'buildah', 'mount'],
  version: 'buildah --version',
  form: 'docker-archive',
  start: ownStorage,
  how: {
    run: `buildah $STORAGE from -q docker-archive:{image} >{bundle}/id && mkdir {rootfs} &&
      mount --bind "$(buildah $STORAGE mount $(cat {bundle}/id))" {rootfs}`,
    after: 'umount {rootfs}; buildah $STORAGE rm $(cat {bundle}/id)',
  },
};

const CONTAINERD: Adapter = {
  name: 'containerd, overlayfs',
  needs: ['root', 'containerd', 'ctr', 'mount'],
  version: 'containerd --version',
  form: 'oci-archive',
  start: startContainerd,
  how: {
    run: `ctr images import --base-name $(echo {reference} | sed s/:latest//) {image} &&
      mkdir {rootfs} && ctr images mount {reference} {rootfs}`,
    after: 'umount {rootfs}; ctr snapshots rm {rootfs}; ctr images rm {reference}',
  },
};

async function startContainerd(cleanup: Cleanup, place: string) {
  const socket = join(place, 'socket');
  const config = [
    'version = 2',
    `root = "${place}/root"`,
    `state = "${place}/state"`,
    'disabled_plugins = ["io.containerd.grpc.v1.cri"]',
    `[grpc]\naddress = "${socket}"`,
  ];
  writeFileSync(join(place, 'config.toml'), config.join('\n'));
  const daemon = spawn('containerd', ['-c', join(place, 'config.toml')], { stdio: 'ignore' });
  const ended = once(daemon, 'exit');
  cleanup.after(async () => {
    daemon.kill();
    await ended;
  });
  await until(() => existsSync(socket), daemon);
  return { CONTAINERD_ADDRESS: socket };
}

export const ENGINES: readonly Adapter[] = [DOCKER_OVERLAY, DOCKER_EXPORT, CONTAINERD, PODMAN, BUILDAH];
