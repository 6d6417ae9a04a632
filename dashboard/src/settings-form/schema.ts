/** A plugin's schema made ready for a form: what is optional can be left out, what is constant is not asked. */
import type { RJSFSchema, UiSchema } from '@rjsf/utils';

export type Schema = Record<string, unknown>;

/** Deeper than this a form is no help any more. */
const MOST_LEVELS = 6;

const isSchema = (value: unknown): value is Schema =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Whether a form can show it: an object with known properties, not too deep. */
export function isFormable(schema: unknown, level = 0): boolean {
  if (!isSchema(schema) || level > MOST_LEVELS) return false;
  if (level === 0 && (schema.type !== 'object' || !isSchema(schema.properties))) return false;
  const unknown = ['not', 'if', 'patternProperties', 'dependentSchemas', '$ref', '$dynamicRef'];
  if (unknown.some((word) => word in schema)) return false;
  const below = [
    ...Object.values(isSchema(schema.properties) ? schema.properties : {}),
    ...(Array.isArray(schema.oneOf) ? schema.oneOf : []),
    ...(Array.isArray(schema.anyOf) ? schema.anyOf : []),
    ...(Array.isArray(schema.allOf) ? schema.allOf : []),
    ...(isSchema(schema.items) ? [schema.items] : []),
  ];
  return below.every((each) => isFormable(each, level + 1));
}

/** Gives each optional choice a “None” in front, since a form would otherwise choose for the person. */
export function forForm(schema: Schema): RJSFSchema {
  const properties = isSchema(schema.properties) ? schema.properties : {};
  const required = Array.isArray(schema.required) ? schema.required : [];
  const ready = Object.entries(properties).map(([name, property]) => {
    if (!isSchema(property) || !Array.isArray(property.oneOf) || required.includes(name)) {
      return [name, property];
    }
    return [name, { ...property, oneOf: [{ title: 'None', type: 'null' }, ...property.oneOf] }];
  });
  return { ...schema, properties: Object.fromEntries(ready) } as RJSFSchema;
}

/** Constants are hidden; what a choice holds carries no title twice. */
export function uiOf(schema: Schema): UiSchema {
  const ui: UiSchema = {};
  for (const [name, property] of Object.entries(
    isSchema(schema.properties) ? schema.properties : {},
  )) {
    if (!isSchema(property)) continue;
    if ('const' in property) ui[name] = { 'ui:widget': 'hidden' };
    else {
      const options = Array.isArray(property.oneOf) ? property.oneOf.filter(isSchema) : [];
      ui[name] = Object.assign({}, uiOf(property), ...options.map(uiOf)) as UiSchema;
    }
  }
  return ui;
}

/** What is sent: without the fields that were left empty. */
export function cleaned(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(cleaned);
  if (!isSchema(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, each]) => each !== null && each !== undefined && each !== '')
      .map(([name, each]) => [name, cleaned(each)]),
  );
}
