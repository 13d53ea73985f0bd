/** What a host's certificate is checked against, and how flatten shows who it is. */
export interface Trust {
  /** Certificates of authorities, in PEM, besides those that Node knows. */
  readonly ca?: readonly string[];
  /** The client's own, in PEM, and its key. */
  readonly cert?: string;
  readonly key?: string;
  /** Any certificate will do: the user has said so of this host. */
  readonly isUnverified?: boolean;
}
