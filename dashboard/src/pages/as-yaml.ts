/** An answer as YAML, for the eye: the spec is written so. Pure. */
export function asYaml(value: unknown, indent = ''): string {
  if (Array.isArray(value)) {
    if (value.length === 0) return '[]';
    return value.map((each) => `\n${indent}- ${asYaml(each, `${indent}  `).trimStart()}`).join('');
  }
  if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value).filter(([, each]) => each !== undefined);
    if (fields.length === 0) return '{}';
    const lines = fields.map(([name, each]) => {
      const text = asYaml(each, `${indent}  `);
      return `\n${indent}${scalar(name)}:${text.startsWith('\n') ? text : ` ${text}`}`;
    });
    return indent === '' ? lines.join('').trimStart() : lines.join('');
  }
  return scalar(value);
}

function scalar(value: unknown): string {
  if (typeof value !== 'string') return String(value);
  const isPlain =
    /^[\w./][\w ./@:+-]*$/.test(value) &&
    !/^(true|false|null|~|[\d.]+e?\d*)$/i.test(value.replace(/^\d+\.\d+\.[\d.]+$/, '')) &&
    !value.includes(': ');
  return isPlain && !value.endsWith(':') && value.trim() === value ? value : JSON.stringify(value);
}
