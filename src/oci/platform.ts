/** An image's platform, in Go's words, as the image specification has it. */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
}
