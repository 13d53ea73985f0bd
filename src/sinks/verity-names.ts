/** What is asked for: a hash tree behind the image, or in a file of its own. */
export type VerityOption = true | string;

/** The file that says what one needs to open an output with dm-verity. */
export function verityFile(output: string): string {
  return `${output}.verity.json`;
}

/** The files beside an output that dm-verity adds to it. */
export function filesBeside(output: string, verity: VerityOption | undefined): string[] {
  if (verity === undefined) return [];
  return [verityFile(output), ...(verity === true ? [] : [verity])];
}
