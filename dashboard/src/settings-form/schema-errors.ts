/**
 * Checks settings against a plugin's schema, by interpreting it: the usual validators compile schemas to code, which
 * the content security policy forbids. The host checks again on saving.
 */
import { Validator, type Schema } from '@cfworker/json-schema';

export interface SchemaError {
  keyword: string;
  message: string;
  /** Where it is in the settings, as a JSON pointer; empty for the whole. */
  pointer: string;
  keywordLocation: string;
}

export function schemaErrors(schema: unknown, data: unknown): SchemaError[] {
  const { errors } = new Validator(schema as Schema, '2020-12', false).validate(data ?? {});
  // Of an object it is said that a property is wrong, and of the property why.
  return errors
    .filter((error) => error.keyword !== 'properties')
    .map((error) => ({
      keyword: error.keyword,
      message: error.error,
      pointer: error.instanceLocation.slice(1),
      keywordLocation: error.keywordLocation,
    }));
}
