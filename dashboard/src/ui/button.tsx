import { cva, type VariantProps } from 'class-variance-authority';
import { LoaderCircle } from 'lucide-react';
import { Slot } from 'radix-ui';
import type { ComponentProps } from 'react';
import { cn } from './cn';

const button = cva(
  'inline-flex shrink-0 items-center justify-center gap-2 rounded-md font-medium whitespace-nowrap transition-colors duration-100 disabled:cursor-not-allowed disabled:opacity-50 [&_svg]:size-4 [&_svg]:shrink-0',
  {
    variants: {
      look: {
        primary: 'bg-primary text-on-primary hover:opacity-90',
        outline: 'border border-line-strong/50 bg-transparent hover:bg-accent',
        quiet: 'text-fg hover:bg-accent',
        danger: 'border border-danger/60 text-danger hover:bg-danger/10',
      },
      size: {
        normal: 'h-9 px-4',
        small: 'h-8 px-3 text-[13px]',
        icon: 'size-9',
      },
    },
    defaultVariants: { look: 'outline', size: 'normal' },
  },
);

interface ButtonProps extends ComponentProps<'button'>, VariantProps<typeof button> {
  asChild?: boolean;
  isBusy?: boolean;
}

export function Button({ look, size, asChild, isBusy, className, children, ...rest }: ButtonProps) {
  const classes = cn(button({ look, size }), className);
  if (asChild) {
    return (
      <Slot.Root className={classes} {...rest}>
        {children}
      </Slot.Root>
    );
  }
  return (
    <button
      type="button"
      {...rest}
      className={classes}
      disabled={rest.disabled || isBusy}
      aria-busy={isBusy || undefined}
    >
      {isBusy && <LoaderCircle className="animate-spin" aria-hidden />}
      {children}
    </button>
  );
}
