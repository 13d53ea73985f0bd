import { nearest } from '../nearest.js';
import { shown } from '../oci/shown.js';

/** Tags that an error lists at most. */
const TAGS = 10;

/** The hint for a tag that is not there: those that are spelled much the same, then the last ones by their versions. */
export function tagHint(wanted: string, tags: readonly string[]): string {
  if (tags.length === 0) return 'it has no tags at all: look at how the name is written';
  const byVersion = [...tags].sort((a, b) => b.localeCompare(a, 'en', { numeric: true }));
  const begun = byVersion.filter((tag) => tag.startsWith(wanted));
  const listed = [...new Set([...begun, ...nearest(wanted, tags, TAGS), ...byVersion])].slice(0, TAGS);
  const more = tags.length > listed.length ? [`… and ${tags.length - listed.length} more`] : [];
  return ['it has the tags:', ...listed.map(shown), ...more].join('\n  ');
}
