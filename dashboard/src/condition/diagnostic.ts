/** Where a condition is wrong, as the host says it: “does not compile at line 1, column 28 (byte 27 and the next 1): …”. */

export interface Diagnostic {
  /** Offsets into the text, in UTF-16 units as the editor counts. */
  from: number;
  to: number;
  line: number;
  column: number;
  message: string;
}

const PLACE = /at line (\d+), column (\d+)(?: \(byte (\d+)(?: and the next (\d+))?\))?: ([\s\S]*)$/;

export function diagnosticOf(detail: string, source: string): Diagnostic | null {
  const match = PLACE.exec(detail);
  if (!match) return null;
  const [line, column] = [Number(match[1]), Number(match[2])];
  const message = match[5] ?? detail;
  if (match[3] !== undefined) {
    const start = charOffset(source, Number(match[3]));
    const end = charOffset(source, Number(match[3]) + Number(match[4] ?? 1));
    return { from: start, to: Math.max(end, start), line, column, message };
  }
  const lines = source.split('\n');
  const before = lines.slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0);
  const from = Math.min(before + column - 1, source.length);
  return { from, to: Math.min(from + 1, source.length), line, column, message };
}

/** The host counts bytes of UTF-8. */
function charOffset(source: string, bytes: number): number {
  let seen = 0;
  let offset = 0;
  for (const char of source) {
    if (seen >= bytes) break;
    seen += new TextEncoder().encode(char).length;
    offset += char.length;
  }
  return offset;
}
