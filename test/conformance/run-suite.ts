import { join } from 'node:path';
import type { Case } from '../support/case.js';
import type { Form } from './forms.js';
import { type Result, runCase, type Tool } from './run-case.js';

/**
 * Runs cases through a tool, `jobs` at a time, below the directory `place`. `onResult` is told each result in the
 * order of the cases. Gives them all.
 */
export async function runSuite(
  cases: readonly Case[],
  forms: readonly Form[],
  tool: Tool,
  {
    jobs,
    place,
    onResult = () => {},
  }: { jobs: number; place: string; onResult?: (result: Result, index: number) => void },
): Promise<Result[]> {
  const todo = forms.flatMap((form) => cases.map((one) => ({ one, form })));
  const results: Result[] = [];
  let next = 0;
  let told = 0;
  const work = async () => {
    while (next < todo.length) {
      const index = next++;
      const { one, form } = todo[index]!;
      results[index] = await runCase(one, form, tool, join(place, String(index)));
      while (results[told] !== undefined) onResult(results[told]!, told++);
    }
  };
  await Promise.all(Array.from({ length: jobs }, work));
  return results;
}
