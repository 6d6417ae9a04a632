// A condition language: `field = text` holds when that field of the event's
// data is that text. Replace it by yours.

const encoder = new TextEncoder();

/** A compiled condition. */
class Program {
  constructor(field, text) {
    this.field = field;
    this.text = text;
  }

  /** When a rule is saved. Throws diagnostics; offsets are in bytes. */
  static compile(source) {
    const at = source.indexOf('=');
    if (at < 0) {
      const offset = encoder.encode(source).length;
      throw [{ message: 'expected `=`, as in `status = FAILED`', offset, length: 0 }];
    }
    const field = source.slice(0, at).trim();
    if (!field) throw [{ message: 'expected the name of a field before `=`', offset: 0, length: 0 }];
    return new Program(field, source.slice(at + 1).trim());
  }

  /** Throws why there is no verdict. */
  evaluate(event) {
    return this.holds(read(event));
  }

  holds(event) {
    const data = event.data;
    if (data === null || typeof data !== 'object' || !Object.hasOwn(data, this.field)) {
      throw { message: `the event has no field \`${this.field}\`` };
    }
    const value = data[this.field];
    return (typeof value === 'string' ? value : JSON.stringify(value)) === this.text;
  }
}

/** Parses the event once for all programs. */
function evaluateAll(programs, bytes) {
  let event;
  try {
    event = read(bytes);
  } catch (error) {
    const val = { message: `the event does not read: ${error.message}` };
    return programs.map(() => ({ tag: 'err', val }));
  }
  return programs.map((program) => {
    try {
      return { tag: 'ok', val: program.holds(event) };
    } catch (error) {
      return { tag: 'err', val: { message: error.message } };
    }
  });
}

function read(bytes) {
  return JSON.parse(new TextDecoder().decode(bytes));
}

/** The interface `language` of wit/language.wit. */
export const language = { Program, evaluateAll };
