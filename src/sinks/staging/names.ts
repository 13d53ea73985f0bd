/** What a run keeps in its private directory: the output in the making, the one that it replaces, and what it is made of. */
export const NAMES = { made: 'new', old: 'old', copy: 'copy', raw: 'raw' } as const;
