import type { Settings } from './settings.js';

/** What Docker lets a container do: images are made for it. */
const CAPABILITIES = [
  ...[
    'CHOWN',
    'DAC_OVERRIDE',
    'FSETID',
    'FOWNER',
    'MKNOD',
    'NET_RAW',
    'SETGID',
    'SETUID',
    'SETFCAP',
    'SETPCAP',
  ],
  ...['NET_BIND_SERVICE', 'SYS_CHROOT', 'KILL', 'AUDIT_WRITE'],
].map((name) => `CAP_${name}`);

/** What `runc spec` writes, but for what is of a container without an image. */
const MOUNTS = [
  { destination: '/proc', type: 'proc', source: 'proc' },
  mount('/dev', 'tmpfs', 'tmpfs', 'nosuid strictatime mode=755 size=65536k'),
  mount('/dev/pts', 'devpts', 'devpts', 'nosuid noexec newinstance ptmxmode=0666 mode=0620 gid=5'),
  mount('/dev/shm', 'tmpfs', 'shm', 'nosuid noexec nodev mode=1777 size=65536k'),
  mount('/dev/mqueue', 'mqueue', 'mqueue', 'nosuid noexec nodev'),
  mount('/sys', 'sysfs', 'sysfs', 'nosuid noexec nodev ro'),
  mount('/sys/fs/cgroup', 'cgroup', 'cgroup', 'nosuid noexec nodev relatime ro'),
];

const MASKED = [
  ...['/proc/acpi', '/proc/asound', '/proc/kcore', '/proc/keys', '/proc/latency_stats', '/proc/timer_list'],
  ...['/proc/timer_stats', '/proc/sched_debug', '/proc/scsi', '/sys/firmware'],
];
const READ_ONLY = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'];

/**
 * An OCI `config.json`, as runc and crun take it, with the root filesystem at `root`. The program has a network of its own, where
 * nothing is, and no terminal. Source: the runtime specification 1.0.2, config.md; the image specification, conversion.md.
 */
export function runtimeSpec(settings: Settings, root: string): object {
  const { args, cwd, env, user } = settings;
  const sets = { bounding: CAPABILITIES, effective: CAPABILITIES, permitted: CAPABILITIES };
  return {
    ociVersion: '1.0.2',
    process: {
      terminal: false,
      user: { uid: user.uid, gid: user.gid, additionalGids: user.groups },
      args,
      env,
      cwd,
      capabilities: sets,
      noNewPrivileges: false,
    },
    root: { path: root, readonly: false },
    hostname: 'flatten',
    mounts: MOUNTS,
    annotations: annotationsOf(settings),
    linux: {
      resources: { devices: [{ allow: false, access: 'rwm' }] },
      namespaces: ['pid', 'network', 'ipc', 'uts', 'mount'].map((type) => ({ type })),
      maskedPaths: MASKED,
      readonlyPaths: READ_ONLY,
    },
  };
}

function annotationsOf({ stopSignal, exposedPorts, labels, platform }: Settings): Record<string, string> {
  const named = {
    os: platform?.os,
    architecture: platform?.architecture,
    stopSignal,
    exposedPorts: exposedPorts.join(',') || undefined,
  };
  const known = Object.entries(named).flatMap(([name, value]) =>
    value === undefined ? [] : [[`org.opencontainers.image.${name}`, value] as const],
  );
  return { ...Object.fromEntries(known), ...labels };
}

function mount(destination: string, type: string, source: string, options: string) {
  return { destination, type, source, options: options.split(' ') };
}
