import { allCases, type Case } from '../support/case.js';

/** The cases that any tool can be asked: those without an option of ours, that have one of `only` in their names. */
export function suiteCases(only: readonly string[] = []): Case[] {
  return allCases().filter(
    ({ name, options }) =>
      options.length === 0 && (only.length === 0 || only.some((part) => name.includes(part))),
  );
}
