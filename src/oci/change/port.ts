/**
 * Reads a port of EXPOSE: `80`, `80/udp`, `8000-8010/tcp`, and Docker's `HOST:CONTAINER`, of which an image keeps the
 * container's. Gives each as `80/tcp`. Throws an Error that says what is wrong.
 * Source: docker/go-connections, nat.ParsePortSpec.
 */
export function parsePorts(text: string): string[] {
  const match = /^(?:.*:)?(\d{1,5})(?:-(\d{1,5}))?(?:\/([a-z]+))?$/i.exec(text);
  const first = Number(match?.[1]);
  const last = Number(match?.[2] ?? first);
  const protocol = (match?.[3] ?? 'tcp').toLowerCase();
  if (match === null || last > 65535) throw new Error(`${text} is not a port, as 80, 53/udp or 8000-8010`);
  if (first > last) throw new Error(`${text}: the range goes downwards`);
  if (!['tcp', 'udp', 'sctp'].includes(protocol))
    throw new Error(`${protocol} is not a protocol: tcp, udp or sctp`);
  return Array.from({ length: last - first + 1 }, (_, index) => `${first + index}/${protocol}`);
}
