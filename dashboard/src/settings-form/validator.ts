/**
 * Checks what is in a settings form against the plugin's schema.
 *
 * The usual validator for these forms compiles schemas to code, which the content security policy forbids; this one
 * interprets them. The host checks again on saving.
 */
import { Validator, type Schema as CfSchema } from '@cfworker/json-schema';
import type { RJSFSchema, RJSFValidationError, ValidationData, ValidatorType } from '@rjsf/utils';
import { toErrorList, validationDataMerge, toErrorSchema } from '@rjsf/utils';

function errorsOf(schema: RJSFSchema, data: unknown): RJSFValidationError[] {
  const { errors } = new Validator(schema as CfSchema, '2020-12', false).validate(data ?? {});
  return errors
    .filter((error) => error.keyword !== 'properties')
    .map((error) => ({
      name: error.keyword,
      message: error.error,
      property: error.instanceLocation.slice(1).replaceAll('/', '.'),
      stack: error.error,
      schemaPath: error.keywordLocation,
    }));
}

export const validator: ValidatorType = {
  validateFormData(formData, schema): ValidationData<unknown> {
    const errors = errorsOf(schema, formData);
    return validationDataMerge({ errors, errorSchema: toErrorSchema(errors) });
  },
  isValid: (schema, formData, rootSchema) =>
    errorsOf({ ...schema, definitions: rootSchema.definitions } as RJSFSchema, formData).length ===
    0,
  rawValidation: (schema, formData) => ({ errors: errorsOf(schema, formData) as never }),
  toErrorList,
} as ValidatorType;

// The forms' library imports its validator as a default; the build puts this one in its place.
export default validator;
