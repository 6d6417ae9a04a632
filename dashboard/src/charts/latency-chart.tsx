/** How long alerts took to be delivered, over time: half of them, and 99 of 100. */
import { useEffect, useRef } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { tookText } from '@/format/duration';
import { useIsDark } from '@/frame/theme';

interface LatencyChartProps {
  points: { at: number; p50: number | null; p99: number | null }[];
}

const HEIGHT = 160;

/** As the bars beside it are labelled: the library's own labels are American. */
const hourText = (at_s: number) =>
  new Date(at_s * 1_000).toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit' });

export default function LatencyChart({ points }: LatencyChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const isDark = useIsDark();
  useEffect(() => {
    const element = place.current;
    if (!element) return;
    const colour = (name: string) =>
      getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    const axis = {
      stroke: colour('--muted'),
      grid: { stroke: colour('--line'), width: 1 },
      ticks: { show: false },
      font: '12px system-ui, sans-serif',
    };
    const chart = new uPlot(
      {
        width: element.clientWidth,
        height: HEIGHT,
        legend: { show: false },
        cursor: { y: false, drag: { x: false, y: false } },
        axes: [
          // Wide enough apart for a time of the longest kind, “12:00 AM”.
          { ...axis, space: 84, values: (_, ticks) => ticks.map(hourText) },
          { ...axis, size: 64, values: (_, ticks) => ticks.map((tick) => tookText(tick)) },
        ],
        series: [
          {},
          {
            label: 'p50',
            stroke: colour('--success'),
            width: 2,
            spanGaps: false,
            points: { show: true, size: 4 },
          },
          {
            label: 'p99',
            stroke: colour('--flight'),
            width: 2,
            dash: [6, 4],
            spanGaps: false,
            points: { show: true, size: 4 },
          },
        ],
      },
      [points.map((p) => p.at / 1_000), points.map((p) => p.p50), points.map((p) => p.p99)],
      element,
    );
    const observer = new ResizeObserver(() =>
      chart.setSize({ width: element.clientWidth, height: HEIGHT }),
    );
    observer.observe(element);
    return () => {
      observer.disconnect();
      chart.destroy();
    };
  }, [points, isDark]);
  return <div ref={place} aria-hidden />;
}
