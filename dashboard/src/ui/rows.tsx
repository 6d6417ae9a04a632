/** A long list in the page's own scroll: only the rows in view exist. */
import { useWindowVirtualizer } from '@tanstack/react-virtual';
import {
  useEffect,
  useLayoutEffect,
  useRef,
  useState,
  type CSSProperties,
  type ReactNode,
} from 'react';

/** Rows drawn above and below the view, so that a turn of the wheel finds them there. */
const OVERSCAN = 3;

interface RowsProps<T> {
  items: T[];
  rowHeight: number;
  label: string;
  keyOf: (item: T) => string;
  render: (item: T, index: number) => ReactNode;
  /**
   * Whether a row is only what `render` makes of its item, with no state of its own. The elements of rows that leave the
   * view then draw those that enter it: styling new ones is most of what scrolling costs.
   */
  isStateless?: boolean;
  /** Called when the end comes into view. */
  onEnd?: () => void;
}

export function Rows<T>(props: RowsProps<T>) {
  const { items, rowHeight, label, keyOf, render, isStateless = false, onEnd } = props;
  const list = useRef<HTMLDivElement>(null);
  const [scrollMargin, setScrollMargin] = useState(0);
  useLayoutEffect(() => {
    const measure = () => {
      const top = list.current?.getBoundingClientRect().top ?? 0;
      setScrollMargin(Math.round(top + window.scrollY));
    };
    measure();
    // What stands above the list may grow. An observer is called once the page is laid out, when asking costs nothing.
    const observer = new ResizeObserver(measure);
    observer.observe(document.body);
    return () => observer.disconnect();
  }, []);
  const virtual = useWindowVirtualizer({
    count: items.length,
    estimateSize: () => rowHeight,
    overscan: OVERSCAN,
    scrollMargin,
  });
  const shown = virtual.getVirtualItems();
  const last = shown.at(-1)?.index ?? -1;
  useEffect(() => {
    if (onEnd && last >= items.length - 30) onEnd();
  }, [onEnd, last, items]);
  // One more than ever is in view at once: no two rows share a place.
  const places = Math.ceil(window.innerHeight / rowHeight) + 2 * OVERSCAN + 2;
  return (
    <div
      ref={list}
      role="list"
      aria-label={label}
      className="relative"
      style={{ height: virtual.getTotalSize() }}
    >
      {shown.map(({ index, start }) => {
        const item = items[index];
        if (item === undefined) return null;
        const key = keyOf(item);
        return (
          <Row
            key={isStateless ? index % places : key}
            itemKey={key}
            place={index + 1}
            of={items.length}
            style={{ height: rowHeight, top: start - scrollMargin }}
          >
            {render(item, index)}
          </Row>
        );
      })}
    </div>
  );
}

interface RowProps {
  itemKey: string;
  place: number;
  of: number;
  style: CSSProperties;
  children: ReactNode;
}

function Row({ itemKey, place, of, style, children }: RowProps) {
  const row = useRef<HTMLDivElement>(null);
  const drawn = useRef(itemKey);
  useLayoutEffect(() => {
    if (drawn.current === itemKey) return;
    drawn.current = itemKey;
    // Whoever stood on the item that left stands on nothing, and not on another's.
    const focused = document.activeElement;
    if (focused instanceof HTMLElement && row.current?.contains(focused)) focused.blur();
  }, [itemKey]);
  return (
    <div
      ref={row}
      role="listitem"
      aria-setsize={of}
      aria-posinset={place}
      className="absolute inset-x-0 contain-strict"
      style={style}
    >
      {children}
    </div>
  );
}
