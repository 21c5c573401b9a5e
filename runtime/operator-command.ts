/** Whether this runs from `dist/`, where neither npm's scripts nor the source are. */
const isBuilt = import.meta.url.includes('/dist/runtime/');

/** How an operator types a command, such as `reviews` or `evidence verify`, where this program runs. */
export function operatorCommand(command: string): string {
  if (isBuilt) return `node dist/operator/main.js ${command}`;
  const evidence = 'evidence ';
  return command.startsWith(evidence)
    ? `npm run evidence -- ${command.slice(evidence.length)}`
    : `npm run operator -- ${command}`;
}

/** How the migrations are run where this program runs. */
export const migrateCommand = isBuilt ? 'node dist/database/main.js' : 'npm run migrate';
