import { join } from 'node:path';
import type { Case } from '../support/case.js';
import type { Form } from './forms.js';
import { type Result, runCase, type Tool } from './run-case.js';

interface RunOptions {
  /** Cases at a time. */
  readonly jobs: number;
  /** An empty directory. */
  readonly place: string;
  /** Begins no more cases. */
  readonly signal: AbortSignal;
  /** Is told each result in the order of the cases. */
  readonly onResult?: (result: Result, index: number) => void;
}

/** Runs cases through a tool, and gives all results. */
export async function runSuite(
  cases: readonly Case[],
  forms: readonly Form[],
  tool: Tool,
  { jobs, place, signal, onResult = () => {} }: RunOptions,
): Promise<Result[]> {
  const todo = forms.flatMap((form) => cases.map((one) => ({ one, form })));
  const results: Result[] = [];
  let next = 0;
  let told = 0;
  const work = async () => {
    while (next < todo.length && !signal.aborted) {
      const index = next++;
      const { one, form } = todo[index]!;
      const result = await runCase(one, form, tool, join(place, String(index)));
      if (signal.aborted) return;
      results[index] = result;
      while (results[told] !== undefined) onResult(results[told]!, told++);
    }
  };
  await Promise.all(Array.from({ length: jobs }, work));
  return results;
}
