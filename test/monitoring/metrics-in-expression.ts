const keywords = new Set(['and', 'or', 'unless', 'bool']);

/** The metrics that a PromQL expression names, each with the labels that it selects by. */
export function metricsIn(
  expression: string,
): { readonly name: string; readonly labels: readonly string[] }[] {
  const text = expression
    .replace(/"[^"]*"/g, '""')
    .replace(/\b(by|without|on|ignoring) *\([^)]*\)/g, '')
    .replace(/\[[^\]]*\]/g, '');
  return [...text.matchAll(/\b([a-z_]\w*)(\s*\(|\{[^}]*\})?/g)]
    .filter(([, name, next]) => !next?.endsWith('(') && !keywords.has(name!))
    .map(([, name, selector = '']) => ({
      name: name!,
      labels: [...selector.matchAll(/(\w+) *[!=]/g)].map(([, label]) => label!),
    }));
}

/** The labels that a PromQL expression groups by. */
export function groupingLabels(expression: string): string[] {
  return [...expression.matchAll(/\bby *\(([^)]*)\)/g)].flatMap(([, list]) => list!.split(/, */));
}
