/** The form's parts in our own clothes. */
import type {
  BaseInputTemplateProps,
  FieldTemplateProps,
  IconButtonProps,
  ObjectFieldTemplateProps,
  TemplatesType,
  WidgetProps,
} from '@rjsf/utils';
import { enumOptionsValueForIndex } from '@rjsf/utils';
import { Plus, X } from 'lucide-react';
import { Button } from '@/ui/button';
import { Input, Select } from '@/ui/field';

function FieldTemplate(props: FieldTemplateProps) {
  const { id, label, children, rawErrors, rawDescription, hidden, required, schema, displayLabel } =
    props;
  if (hidden) return <div className="hidden">{children}</div>;
  const isBoolean = schema.type === 'boolean';
  return (
    <div className="space-y-1.5">
      {displayLabel && !isBoolean && (
        <label htmlFor={id} className="block font-medium">
          {label}
          {!required && <span className="text-muted font-normal"> (optional)</span>}
        </label>
      )}
      {children}
      {rawErrors?.map((error) => (
        <p key={error} className="text-danger text-[13px]">
          {error}
        </p>
      ))}
      {rawDescription && (
        <p className="text-muted text-[13px]">{rawDescription.replaceAll('`', '')}</p>
      )}
    </div>
  );
}

function ObjectFieldTemplate(props: ObjectFieldTemplateProps) {
  const isRoot = props.fieldPathId.path.length === 0;
  const canAdd =
    props.schema.additionalProperties !== undefined && props.schema.additionalProperties !== false;
  return (
    <fieldset className={isRoot ? 'space-y-4' : 'space-y-3 border-l pl-4'}>
      {!isRoot && props.title && (
        <legend className={canAdd ? 'mb-1.5 -ml-4 font-medium' : 'sr-only'}>{props.title}</legend>
      )}
      {props.properties.map((property) => (
        <div key={property.name}>{property.content}</div>
      ))}
      {canAdd && (
        <Button size="small" onClick={props.onAddProperty} disabled={props.disabled ?? false}>
          <Plus /> Add
        </Button>
      )}
    </fieldset>
  );
}

function BaseInputTemplate(props: BaseInputTemplateProps) {
  const {
    id,
    value,
    required,
    disabled,
    onChange,
    onBlur,
    onFocus,
    placeholder,
    schema,
    options,
    type,
    label,
  } = props;
  const isNumber = schema.type === 'number' || schema.type === 'integer';
  return (
    <Input
      id={id}
      name={id}
      aria-label={label}
      type={type ?? (isNumber ? 'number' : 'text')}
      value={value === undefined || value === null ? '' : String(value)}
      placeholder={placeholder || (schema.default !== undefined ? String(schema.default) : '')}
      required={required ?? false}
      disabled={disabled ?? false}
      onChange={(event) =>
        onChange(event.target.value === '' ? options.emptyValue : event.target.value)
      }
      onBlur={(event) => onBlur(id, event.target.value)}
      onFocus={(event) => onFocus(id, event.target.value)}
    />
  );
}

function SelectWidget(props: WidgetProps) {
  const { id, value, options, required, disabled, onChange, schema, label } = props;
  const choices = options.enumOptions ?? [];
  const index = choices.findIndex((choice) => choice.value === value);
  return (
    <Select
      id={id}
      aria-label={label}
      value={index < 0 ? '' : String(index)}
      disabled={disabled ?? false}
      onChange={(event) =>
        onChange(
          enumOptionsValueForIndex(event.target.value, options.enumOptions, options.emptyValue),
        )
      }
    >
      {!required && schema.default === undefined && !label.includes('__') && index < 0 && (
        <option value="">Not set</option>
      )}
      {choices.map((choice, i) => (
        <option key={i} value={String(i)}>
          {choice.label}
        </option>
      ))}
    </Select>
  );
}

function CheckboxWidget({ id, value, disabled, onChange, label, schema }: WidgetProps) {
  return (
    <label htmlFor={id} className="flex min-h-6 items-center gap-2 font-medium">
      <input
        id={id}
        type="checkbox"
        className="accent-primary size-4"
        // What the plugin does as long as nobody says.
        checked={(value ?? schema.default) === true}
        disabled={disabled ?? false}
        onChange={(event) => onChange(event.target.checked)}
      />
      {label}
    </label>
  );
}

const AddButton = ({ onClick, disabled }: IconButtonProps) => (
  <Button size="small" onClick={onClick} disabled={disabled ?? false}>
    <Plus /> Add
  </Button>
);

const RemoveButton = ({ onClick, disabled }: IconButtonProps) => (
  <Button
    size="icon"
    look="quiet"
    aria-label="Remove"
    onClick={onClick}
    disabled={disabled ?? false}
  >
    <X />
  </Button>
);

const Nothing = () => null;

export const templates: Partial<Omit<TemplatesType, 'ButtonTemplates'>> & {
  ButtonTemplates: object;
} = {
  FieldTemplate,
  ObjectFieldTemplate,
  BaseInputTemplate,
  ErrorListTemplate: Nothing,
  ButtonTemplates: { AddButton, RemoveButton, SubmitButton: Nothing },
};

export const widgets = { SelectWidget, CheckboxWidget };
