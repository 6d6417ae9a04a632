/** A long list in the page's own scroll: only the rows in view exist. */
import { useWindowVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useLayoutEffect, useRef, useState, type ReactNode } from 'react';

interface RowsProps<T> {
  items: T[];
  rowHeight: number;
  label: string;
  keyOf: (item: T) => string;
  render: (item: T, index: number) => ReactNode;
  /** Called when the end comes into view. */
  onEnd?: () => void;
}

export function Rows<T>({ items, rowHeight, label, keyOf, render, onEnd }: RowsProps<T>) {
  const list = useRef<HTMLDivElement>(null);
  const [scrollMargin, setScrollMargin] = useState(0);
  useLayoutEffect(() => {
    const top = list.current?.getBoundingClientRect().top ?? 0;
    setScrollMargin(Math.round(top + window.scrollY));
  }, [items.length]);
  const virtual = useWindowVirtualizer({
    count: items.length,
    estimateSize: () => rowHeight,
    overscan: 12,
    scrollMargin,
  });
  const shown = virtual.getVirtualItems();
  const last = shown.at(-1)?.index ?? -1;
  useEffect(() => {
    if (onEnd && last >= items.length - 30) onEnd();
  }, [onEnd, last, items.length]);
  return (
    <div
      ref={list}
      role="list"
      aria-label={label}
      className="relative"
      style={{ height: virtual.getTotalSize() }}
    >
      {shown.map((row) => {
        const item = items[row.index];
        if (item === undefined) return null;
        return (
          <div
            key={keyOf(item)}
            role="listitem"
            aria-setsize={items.length}
            aria-posinset={row.index + 1}
            className="absolute inset-x-0 top-0"
            style={{
              height: rowHeight,
              transform: `translateY(${row.start - virtual.options.scrollMargin}px)`,
            }}
          >
            {render(item, row.index)}
          </div>
        );
      })}
    </div>
  );
}
