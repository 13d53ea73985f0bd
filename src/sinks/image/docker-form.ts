import { createHash } from 'node:crypto';
import type { Digest } from '../../oci/digest.js';
import { Fields } from '../../oci/fields.js';
import type { ImageName } from '../../oci/image-name.js';
import type { JsonText } from '../../oci/json-text.js';
import { jsonBytes } from '../../oci/write.js';
import type { ImageForm, SquashedImage } from './form.js';
import type { Store } from './store.js';

/** What Docker gives layers below the top one instead of a time. */
const NO_TIME = '1970-01-01T00:00:00Z';

export interface DockerFormOptions {
  readonly name: ImageName | undefined;
  /** Leave out all that Docker 1.10 brought: `manifest.json` and the config. */
  readonly v1: boolean;
}

/**
 * What `docker save` writes from 1.10 to 24: `manifest.json` and a config by its digest, and beside them, for who is
 * older, `repositories` and `<id>/{VERSION,json,layer.tar}` (image specification v1.2 and v1). Holds one image.
 */
export class DockerForm implements ImageForm {
  readonly #store: Store;
  readonly #options: DockerFormOptions;
  #digest: Digest | undefined;

  constructor(store: Store, options: DockerFormOptions) {
    this.#store = store;
    this.#options = options;
  }

  /** Their names hold the image's id, which is not known yet. */
  async layer(): Promise<void> {}

  async image(image: SquashedImage): Promise<void> {
    const { name, v1 } = this.#options;
    const config = jsonBytes(image.config.toText());
    const hash = createHash('sha256').update(config).digest('hex');
    this.#digest = `sha256:${hash}`;
    const ids = await this.#layers(image, hash);
    if (!v1) {
      await this.#store.file(`${hash}.json`, config);
      const saved = {
        Config: `${hash}.json`,
        RepoTags: name === undefined ? null : [`${name.name}:${name.tag}`],
        Layers: ids.map((id) => `${id}/layer.tar`),
      };
      await this.#store.file('manifest.json', jsonBytes([saved]));
    }
    if (name === undefined) return;
    const repositories = { [name.name]: { [name.tag]: ids[ids.length - 1] } };
    await this.#store.file('repositories', jsonBytes(repositories));
  }

  async finish(): Promise<Digest> {
    return this.#digest!;
  }

  /** A layer's id is made of all that is below it, the top one's of the config too: an old Docker takes equal ids for equal images. */
  async #layers({ config, layers }: SquashedImage, configHash: string): Promise<string[]> {
    const ids: string[] = [];
    for (const [index, { diffID, blob }] of layers.entries()) {
      const parent = ids[index - 1];
      const isTop = index === layers.length - 1;
      const made = [parent ?? '', diffID, isTop ? configHash : ''].join('\n');
      const id = createHash('sha256').update(made).digest('hex');
      await blob.name(`${id}/layer.tar`);
      await this.#store.file(`${id}/VERSION`, Buffer.from('1.0'));
      await this.#store.file(
        `${id}/json`,
        jsonBytes(v1Json(id, parent, isTop ? config : Fields.of({ created: NO_TIME }))),
      );
      ids.push(id);
    }
    return ids;
  }
}

function v1Json(id: string, parent: string | undefined, config: Fields): JsonText {
  const rest = config.without(['rootfs', 'history', 'id', 'parent']);
  return rest.after({ id, ...(parent && { parent }) }).toText();
}
