import { relative } from 'node:path';

/** A reporter for `node --test --experimental-test-coverage`: a line for each file of src/, the least covered first. */
export default async function* coverage(events) {
  for await (const { type, data } of events) {
    if (type !== 'test:coverage') continue;
    const { files, workingDirectory } = data.summary;
    const rows = files
      .map((file) => ({ ...file, path: relative(workingDirectory, file.path).replace(/^dist\//, '') }))
      .filter(({ path }) => path.startsWith('src/'))
      .sort((a, b) => a.coveredLinePercent - b.coveredLinePercent);
    yield `\n${'coverage of src/'.padEnd(50)}lines  branches  functions\n`;
    for (const row of rows) yield line(row.path, row);
    yield line('all files', total(rows));
  }
}

function line(name, { coveredLinePercent, coveredBranchPercent, coveredFunctionPercent }) {
  const percent = (value, width) => `${value.toFixed(0)}%`.padStart(width);
  return `${name.padEnd(50)}${percent(coveredLinePercent, 5)}${percent(coveredBranchPercent, 10)}${percent(coveredFunctionPercent, 11)}\n`;
}

function total(rows) {
  const sum = (key) => rows.reduce((all, row) => all + row[key], 0);
  const share = (covered, all) => (sum(all) === 0 ? 100 : (100 * sum(covered)) / sum(all));
  return {
    coveredLinePercent: share('coveredLineCount', 'totalLineCount'),
    coveredBranchPercent: share('coveredBranchCount', 'totalBranchCount'),
    coveredFunctionPercent: share('coveredFunctionCount', 'totalFunctionCount'),
  };
}
