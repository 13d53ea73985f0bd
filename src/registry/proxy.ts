/**
 * The proxy that the environment names for a server, as curl and Go read it: `https_proxy` or `http_proxy`, unless `no_proxy` has the
 * host, a domain above it, or `*`. Undefined for none.
 */
export function proxyFor(
  protocol: string,
  host: string,
  env: NodeJS.ProcessEnv = process.env,
): string | undefined {
  const named = (name: string) => env[name] || env[name.toUpperCase()] || undefined;
  const proxy = named(protocol === 'https:' ? 'https_proxy' : 'http_proxy');
  if (proxy === undefined || isExcepted(host.toLowerCase(), named('no_proxy') ?? '')) return undefined;
  return /^[a-z][a-z0-9]*:\/\//i.test(proxy) ? proxy : `http://${proxy}`;
}

function isExcepted(host: string, list: string): boolean {
  const name = host.replace(/:\d+$/, '');
  return list
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .some((entry) => {
      const domain = entry.replace(/^\*?\./, '');
      return entry === '*' || [name, host].some((each) => each === domain || each.endsWith(`.${domain}`));
    });
}
