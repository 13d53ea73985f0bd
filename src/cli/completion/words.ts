/** What is completed of one command. */
export interface Words {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly {
    /** As `-o`. */
    readonly short?: string;
    /** As `--output`. */
    readonly long: string;
    readonly description: string;
    /** What stands behind it: one of these words, a file or an image's transport, a directory, or text that nobody can guess; undefined for nothing. */
    readonly value: readonly string[] | 'output' | 'directory' | 'text' | undefined;
  }[];
}

/** What is completed of the program. */
export interface Spelling {
  readonly main: Words;
  readonly commands: readonly Words[];
  /** Of outputs that are images, with their colons. */
  readonly transports: readonly string[];
  /** Of inputs, with their colons. */
  readonly inputs: readonly string[];
}
