/** The validator of settings forms, in the shape that their library asks for. */
import type { RJSFSchema, RJSFValidationError, ValidationData, ValidatorType } from '@rjsf/utils';
import { toErrorList, validationDataMerge, toErrorSchema } from '@rjsf/utils';
import { schemaErrors } from './schema-errors';

const errorsOf = (schema: RJSFSchema, data: unknown): RJSFValidationError[] =>
  schemaErrors(schema, data).map(({ keyword, message, pointer, keywordLocation }) => ({
    name: keyword,
    message,
    property: pointer.replaceAll('/', '.'),
    stack: message,
    schemaPath: keywordLocation,
  }));

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
