import type { Adapter } from './adapter.js';

/** Layer after layer, in the order of the manifest, as if each were an archive of its own. */
const naive = (tar: string, flags: string): Adapter => ({
  name: `${tar} alone`,
  needs: ['root', tar, 'python3'],
  version: `${tar} --version`,
  form: 'docker-archive',
  how: {
    run: `tar -xf {image} && mkdir {rootfs} &&
      for layer in $(python3 -c 'import json; print(*json.load(open("manifest.json"))[0]["Layers"])')
      do ${tar} -xpf $layer ${flags} -C {rootfs} || exit; done`,
  },
});

export const UNPACKERS: readonly Adapter[] = [
  {
    name: 'umoci',
    needs: ['root', 'umoci'],
    version: 'umoci --version',
    form: 'oci',
    how: { run: 'umoci unpack --image {image}:latest {bundle}' },
  },
  {
    name: 'skopeo and umoci',
    needs: ['root', 'skopeo', 'umoci'],
    version: 'skopeo --version',
    form: 'docker-archive',
    how: {
      run: `skopeo --insecure-policy copy -q docker-archive:{image} oci:{bundle}/layout:latest &&
        umoci unpack --image {bundle}/layout:latest {bundle}`,
    },
  },
  {
    name: 'oci-image-tool',
    needs: ['root', 'oci-image-tool'],
    version: 'oci-image-tool --version',
    form: 'oci',
    how: { run: 'oci-image-tool unpack --ref name=latest {image} {rootfs}' },
  },
  {
    name: 'crane export',
    needs: ['crane'],
    version: 'crane version',
    form: 'docker-archive',
    how: { run: 'crane export - {rootfs} <{image}', output: 'tar' },
  },
  naive('tar', "--numeric-owner --xattrs --xattrs-include='*' --acls"),
  naive('bsdtar', '--numeric-owner'),
];
