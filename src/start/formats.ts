/** The forms in which runtimes are told how an image is started. */
export const START_FORMATS = ['json', 'env', 'runtime-spec', 'init'] as const;
/** `json` has everything, `env` the environment alone, for `. FILE` and systemd, `runtime-spec` is runc's `config.json`, `init` a shell script that starts a machine. */
export type StartFormat = (typeof START_FORMATS)[number];
