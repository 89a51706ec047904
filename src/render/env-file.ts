/**
 * A value for the .env file that Docker Compose reads. In single quotes everything stands for itself; a value with a
 * single quote goes into double quotes, where backslash escapes `\`, `"` and `$`.
 * Source: https://docs.docker.com/compose/how-tos/environment-variables/variable-interpolation/#env-file-syntax
 */
export function envValue(value: string): string {
  if (!value.includes("'")) return `'${value}'`;
  return `"${value.replaceAll(/[\\"$]/g, '\\$&')}"`;
}
