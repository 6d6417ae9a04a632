/** Menus on Radix. Not modal: the modal kind locks scrolling with a style element, which the policy refuses. */
import { DropdownMenu as Radix } from 'radix-ui';
import type { ReactNode } from 'react';
import { cn } from './cn';

export const popupClass =
  'enter z-50 rounded-lg border border-line bg-raised text-fg p-1 shadow-lg';

interface MenuProps {
  trigger: ReactNode;
  children: ReactNode;
  align?: 'start' | 'end';
}

export function Menu({ trigger, children, align = 'end' }: MenuProps) {
  return (
    <Radix.Root modal={false}>
      <Radix.Trigger asChild>{trigger}</Radix.Trigger>
      <Radix.Portal>
        <Radix.Content align={align} sideOffset={6} className={cn(popupClass, 'min-w-48')}>
          {children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

interface MenuItemProps {
  onSelect: () => void;
  children: ReactNode;
  isDanger?: boolean;
  isDisabled?: boolean;
}

export function MenuItem({ onSelect, children, isDanger, isDisabled }: MenuItemProps) {
  return (
    <Radix.Item
      onSelect={onSelect}
      disabled={isDisabled ?? false}
      className={cn(
        'data-highlighted:bg-accent flex min-h-8 cursor-pointer items-center gap-2 rounded-md px-2.5 py-1.5 outline-none data-disabled:cursor-not-allowed data-disabled:opacity-50 [&_svg]:size-4',
        isDanger && 'text-danger',
      )}
    >
      {children}
    </Radix.Item>
  );
}

export function MenuChoices<T extends string>(props: {
  value: T;
  onChange: (value: T) => void;
  choices: [T, string][];
}) {
  return (
    <Radix.RadioGroup value={props.value} onValueChange={(value) => props.onChange(value as T)}>
      {props.choices.map(([value, label]) => (
        <Radix.RadioItem
          key={value}
          value={value}
          className="data-highlighted:bg-accent flex min-h-8 cursor-pointer items-center gap-2 rounded-md px-2.5 py-1.5 outline-none"
        >
          <span className="w-3" aria-hidden>
            <Radix.ItemIndicator>✓</Radix.ItemIndicator>
          </span>
          {label}
        </Radix.RadioItem>
      ))}
    </Radix.RadioGroup>
  );
}

export const MenuLabel = ({ children }: { children: ReactNode }) => (
  <Radix.Label className="text-muted px-2.5 py-1.5 text-[13px]">{children}</Radix.Label>
);

export const MenuLine = () => <Radix.Separator className="bg-line my-1 h-px" />;
