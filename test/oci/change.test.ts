import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applyChanges, parseChanges } from '../../src/oci/change.js';
import { Fields } from '../../src/oci/fields.js';
import { put } from '../sources/opening.js';
import { ENGINE_NEEDS, startEngine } from '../support/docker.js';
import { needs } from '../support/needs.js';
import { archive } from '../support/tar.js';

/** What changes make of a config. */
function changed(config: object, changes: Parameters<typeof applyChanges>[1]): Record<string, unknown> {
  return applyChanges(Fields.of(config), changes).toText().value as Record<string, unknown>;
}

/** Changes to an empty config, and what it becomes. A backslash in a template is one. */
const TABLE: readonly (readonly [changes: readonly string[], config: object])[] = [
  [['CMD ["/bin/sh", "-l"]'], { Cmd: ['/bin/sh', '-l'] }],
  [['cmd echo "hi there"  x'], { Cmd: ['/bin/sh', '-c', 'echo "hi there"  x'] }],
  [["CMD ['a', 'b']"], { Cmd: ['/bin/sh', '-c', "['a', 'b']"] }],
  [['CMD []'], { Cmd: [] }],
  [['ENTRYPOINT ["/init"]'], { Entrypoint: ['/init'] }],
  [['CMD ["x"]', 'ENTRYPOINT ["/init"]'], { Cmd: ['x'], Entrypoint: ['/init'] }],
  [['ENTRYPOINT ["/init"]', 'CMD ["x"]'], { Cmd: ['x'], Entrypoint: ['/init'] }],
  [['ENTRYPOINT exec top -b'], { Entrypoint: ['/bin/sh', '-c', 'exec top -b'] }],
  [['ENV A=1 B="two words" C=three\\ words'], { Env: ['A=1', 'B=two words', 'C=three words'] }],
  [['ENV A old form, with "quotes"'], { Env: ['A=old form, with quotes'] }],
  [
    ['ENV A=1', "ENV B=$A${A} C=${NONE:-x} D=${A:+y} E=\\$A F='$A'"],
    {
      Env: ['A=1', 'B=11', 'C=x', 'D=y', 'E=$A', 'F=$A'],
    },
  ],
  [['ENV A=1', 'ENV A=2 B=$A'], { Env: ['A=2', 'B=1'] }],
  [['ENV A=', 'ENV B=${A:-empty} C="a\\"b\\x"'], { Env: ['A=', 'B=empty', 'C=a"b\\x'] }],
  [
    ['EXPOSE 80 53/udp 8000-8002'],
    {
      ExposedPorts: { '80/tcp': {}, '53/udp': {}, '8000/tcp': {}, '8001/tcp': {}, '8002/tcp': {} },
    },
  ],
  [['ENV P=99', 'EXPOSE $P/UDP'], { Env: ['P=99'], ExposedPorts: { '99/udp': {} } }],
  [
    ['HEALTHCHECK --interval=1m30s --timeout=500ms --retries=3 CMD curl -f x'],
    {
      Healthcheck: { Test: ['CMD-SHELL', 'curl -f x'], Interval: 90e9, Timeout: 5e8, Retries: 3 },
    },
  ],
  [
    ['HEALTHCHECK --start-period=1.5h CMD ["/check"]'],
    {
      Healthcheck: { Test: ['CMD', '/check'], StartPeriod: 5400e9 },
    },
  ],
  [['HEALTHCHECK NONE'], { Healthcheck: { Test: ['NONE'] } }],
  [['LABEL a=1 "b c"="d e" f=\'g\''], { Labels: { a: '1', 'b c': 'd e', f: 'g' } }],
  [['LABEL a=1', 'LABEL a=2 c=3'], { Labels: { a: '2', c: '3' } }],
  [['ONBUILD RUN  make all', 'ONBUILD copy a b'], { OnBuild: ['RUN  make all', 'copy a b'] }],
  [['STOPSIGNAL SIGKILL'], { StopSignal: 'SIGKILL' }],
  [['STOPSIGNAL 9'], { StopSignal: '9' }],
  [['USER 1000:1000'], { User: '1000:1000' }],
  [['ENV U=web', 'USER ${U}'], { Env: ['U=web'], User: 'web' }],
  [['VOLUME /data /var/lib/x'], { Volumes: { '/data': {}, '/var/lib/x': {} } }],
  [['VOLUME ["/a b", "/c"]'], { Volumes: { '/a b': {}, '/c': {} } }],
  [['WORKDIR /srv', 'WORKDIR app', 'WORKDIR ../x'], { WorkingDir: '/srv/x' }],
  [['# a comment\nENV A=1 \\\n  B=2\n\nUSER web'], { Env: ['A=1', 'B=2'], User: 'web' }],
];

/** Changes that make no sense, and what the error says beside the instruction. */
const BAD: readonly (readonly [change: string, what: RegExp])[] = [
  ['FROM scratch', /no such instruction/],
  ['RUN make', /no such instruction/],
  ['ENV', /has no arguments/],
  ['ENV A', /NAME=VALUE/],
  ['ENV A=1 B', /NAME=VALUE/],
  ['ENV =1', /empty name/],
  ['ENV A="unclosed', /closing "/],
  ['ENV A=${B', /after the name/],
  ['ENV A=${B:?needed}', /B: needed/],
  ['LABEL x', /NAME=VALUE/],
  ['EXPOSE http', /http is not a port/],
  ['EXPOSE 70000', /70000 is not a port/],
  ['EXPOSE 90-80', /downwards/],
  ['EXPOSE 80/ip', /ip is not a protocol/],
  ['STOPSIGNAL SIGNOTHING', /SIGNOTHING is not a signal/],
  ['STOPSIGNAL 65', /65 is not a signal/],
  ['ONBUILD ONBUILD RUN x', /cannot be put off/],
  ['ONBUILD FROM x', /cannot be put off/],
  ['HEALTHCHECK curl', /neither CMD nor NONE/],
  ['HEALTHCHECK CMD', /without a command/],
  ['HEALTHCHECK --interval=soon CMD x', /soon is not a time/],
  ['HEALTHCHECK --interval=1us CMD x', /less than 1ms/],
  ['HEALTHCHECK --retries=-1 CMD x', /whole number/],
  ['HEALTHCHECK --often=1s CMD x', /not an option/],
  ['VOLUME ["", "/a"]', /empty name/],
  ['CMD ["a", 1]', /strings only/],
];

test('changes do what they do in a Dockerfile', () => {
  for (const [changes, config] of TABLE)
    assert.deepEqual(changed({}, parseChanges(changes)), config, changes.join(' | '));
});

test('what makes no sense is an error that names the instruction', () => {
  for (const [change, what] of BAD) {
    const run = () => changed({}, parseChanges([change]));
    assert.throws(run, (error: Error & { code?: string }) => {
      assert.equal(error.code, 'USAGE', change);
      assert.ok(error.message.startsWith(`{changes: ${change.split(' ')[0]}`), error.message);
      assert.match(error.message, what);
      return true;
    });
  }
});

test('an entry point takes the old command away, unless a new one is set in the same run', () => {
  const before = { Cmd: ['old'], Entrypoint: ['/old'], Env: ['A=1'] };
  const entry = 'ENTRYPOINT ["/new"]';
  assert.deepEqual(changed(before, parseChanges([entry])), { Entrypoint: ['/new'], Env: ['A=1'] });
  assert.deepEqual(changed(before, parseChanges(['CMD ["new"]', entry])), {
    Cmd: ['new'],
    Entrypoint: ['/new'],
    Env: ['A=1'],
  });
});

test('without a colon only a variable that is not set counts as missing, as in newer BuildKits', () => {
  const { Env } = changed({ Env: ['A='] }, parseChanges(['ENV B=${A-x} C=${A+y} D=${NONE-z}']));
  assert.deepEqual(Env, ['A=', 'B=', 'C=y', 'D=z']);
});

test("the shell form uses the image's own shell", () => {
  const config = changed({ Shell: ['/bin/bash', '-ec'] }, parseChanges(['CMD a && b']));
  assert.deepEqual(config.Cmd, ['/bin/bash', '-ec', 'a && b']);
});

test('fields keep their place, and no spelling in another case stays beside them', () => {
  const config = changed({ cmd: ['old'], Env: null, X: 1 }, parseChanges(['CMD ["new"]', 'ENV A=1']));
  assert.equal(JSON.stringify(config), '{"Cmd":["new"],"Env":["A=1"],"X":1}');
});

test('a config of the wrong shape is an error that names the field', () => {
  assert.throws(() => changed({ Env: 'A=1' }, parseChanges(['ENV B=2'])), {
    code: 'BAD_IMAGE',
    message: /^config\.Env: "A=1" is not an array$/,
  });
});

const skip = needs(...ENGINE_NEEDS);

test('docker import does the same with the same changes', { skip }, async (t) => {
  const { docker } = await startEngine(t);
  const rootfs = put(t, archive([]), 'rootfs.tar');
  for (const [changes, expected] of TABLE) {
    if (changes[0]!.startsWith('STOPSIGNAL')) continue; // which 20.10 does not take yet
    const id = docker('import', ...changes.flatMap((change) => ['-c', change]), rootfs).trim();
    const inspected = JSON.parse(docker('inspect', '--format', '{{json .Config}}', id));
    assert.deepEqual(meaningful(inspected), meaningful(expected), changes.join(' | '));
  }
  for (const [change] of BAD)
    assert.throws(() => docker('import', '-c', change, rootfs), `docker takes ${change}`);
});

/** Without what Docker writes for nothing. */
function meaningful(config: object): object {
  const entries = Object.entries(config).filter(
    ([key, value]) =>
      value !== null && value !== '' && value !== false && value.length !== 0 && key !== 'Image',
  );
  return Object.fromEntries(entries);
}
