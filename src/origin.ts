import type { Flattened } from './sinks/sink.js';
import type { OpenedImage } from './sources/image.js';

/** What a sink is told of the image that a tree was made of. */
export type Origin = Pick<Flattened, 'config' | 'digest' | 'image' | 'bounds'>;

export function originOf({ config, digest, platform, annotations, layers }: OpenedImage): Origin {
  const bounds = layers.find((layer) => layer.bounds !== undefined)?.bounds;
  return {
    ...(config && { config }),
    ...(digest && { digest }),
    image: { layers: layers.length, ...(platform && { platform }), ...(annotations && { annotations }) },
    ...(bounds && { bounds }),
  };
}
