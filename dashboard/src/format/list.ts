/** A list as it is written in one field: `a, b`. */
export function listIn(text: string): string[] {
  return text
    .split(',')
    .map((each) => each.trim())
    .filter(Boolean);
}
