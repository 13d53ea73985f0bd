import { lstatSync, rmSync } from 'node:fs';
import { basename } from 'node:path';
import type { Context } from '../context.js';
import { ioError } from '../errors.js';
import { type DmVerity, descriptionText, sealImage } from '../verity/verity.js';
import { type Staging, stageFile } from './staging.js';
import { type VerityOption, verityFile } from './verity-names.js';

/** The files beside a disk image in the making, which appear before it. */
export class VerityFiles {
  readonly #output: string;
  readonly #verity: VerityOption;
  readonly #json: Staging;
  readonly #tree: Staging | undefined;
  readonly #appeared: string[] = [];

  private constructor(output: string, verity: VerityOption, json: Staging, tree: Staging | undefined) {
    this.#output = output;
    this.#verity = verity;
    this.#json = json;
    this.#tree = tree;
  }

  /** Throws `OUTPUT_EXISTS` where one is there and `force` is not given. */
  static async stage(
    output: string,
    verity: VerityOption,
    { force }: { readonly force: boolean },
  ): Promise<VerityFiles> {
    const json = await stageFile(verityFile(output), { force });
    try {
      const tree = verity === true ? undefined : await stageFile(verity, { force });
      return new VerityFiles(output, verity, json, tree);
    } catch (error) {
      await json.discard();
      throw error;
    }
  }

  /** Hashes the finished image at `path`. */
  async seal(path: string, context: Context): Promise<DmVerity> {
    const { outputFile } = await import('fs-extra/esm');
    const sealed = await sealImage(path, this.#tree?.path, context);
    const text = descriptionText({
      ...sealed,
      image: basename(this.#output),
      ...(this.#tree && { hashFile: basename(this.#verity as string) }),
    });
    try {
      await outputFile(this.#json.path, text, { flag: 'wx' });
    } catch (error) {
      throw ioError(error, `${verityFile(this.#output)}: cannot be written`);
    }
    return sealed;
  }

  async publish(): Promise<void> {
    for (const [staging, path] of this.#placed()) {
      const isNew = lstatSync(path, { throwIfNoEntry: false }) === undefined;
      await staging.publish();
      if (isNew) this.#appeared.push(path);
    }
  }

  /** Takes away what {@link publish} has put where nothing was: the image cannot appear. */
  retract(): void {
    for (const path of this.#appeared) rmSync(path, { force: true });
  }

  #placed(): (readonly [Staging, string])[] {
    const json = [this.#json, verityFile(this.#output)] as const;
    return this.#tree === undefined ? [json] : [[this.#tree, this.#verity as string], json];
  }

  async discard(): Promise<void> {
    await this.#tree?.discard();
    await this.#json.discard();
  }
}
