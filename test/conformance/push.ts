import { sha256 } from '../support/listing.js';

/** Pushes the files of an OCI layout to a registry without a password, by plain HTTP; gives the reference, `HOST/NAME:TAG`. */
export async function pushImage(
  host: string,
  reference: string,
  files: ReadonlyMap<string, Buffer>,
): Promise<string> {
  const colon = reference.lastIndexOf(':');
  const [name, tag] = [reference.slice(0, colon), reference.slice(colon + 1)];
  const base = `http://${host}/v2/${name}`;
  const [manifest] = JSON.parse(files.get('index.json')!.toString()).manifests;
  const isManifest = (path: string) => path.endsWith(manifest.digest.slice('sha256:'.length));
  for (const [path, bytes] of files)
    if (path.startsWith('blobs/') && !isManifest(path)) await pushBlob(base, bytes);
  const bytes = [...files].find(([path]) => isManifest(path))![1];
  await ask(`${base}/manifests/${tag}`, 'PUT', manifest.mediaType, bytes);
  return `${host}/${reference}`;
}

async function pushBlob(base: string, bytes: Buffer): Promise<void> {
  const begun = await ask(`${base}/blobs/uploads/`, 'POST');
  const place = new URL(begun.headers.get('location')!, base);
  place.searchParams.set('digest', `sha256:${sha256(bytes)}`);
  await ask(place.href, 'PUT', 'application/octet-stream', bytes);
}

async function ask(url: string, method: string, type?: string, body?: Buffer): Promise<Response> {
  const response = await fetch(url, {
    method,
    ...(body && { body: new Uint8Array(body) }),
    ...(type && { headers: { 'content-type': type } }),
  });
  if (!response.ok) throw new Error(`${method} ${url}: ${response.status} ${await response.text()}`);
  await response.arrayBuffer();
  return response;
}
