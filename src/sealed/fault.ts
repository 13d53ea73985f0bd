/** Something about a hash tree, or the image below it, that is not as it should be. */
export interface Fault {
  readonly kind: 'description' | 'superblock' | 'size' | 'root' | 'hash' | 'data';
  /** For a person. */
  readonly what: string;
  /** Of a wrong block: its number (of data, in the image; of the tree, from its superblock on), and where it lies, in bytes. */
  readonly block?: number;
  readonly offset?: number;
  /** Of a wrong block of data: the file that it belongs to, where that can be told. Latin1. */
  readonly path?: string;
}
