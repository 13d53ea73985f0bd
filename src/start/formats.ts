/** The forms in which runtimes are told how an image is started. */
export const START_FORMATS = ['json', 'env', 'runtime-spec'] as const;
/** `json` has everything, `env` the environment alone, for `. FILE` and systemd, `runtime-spec` is runc's `config.json`. */
export type StartFormat = (typeof START_FORMATS)[number];
