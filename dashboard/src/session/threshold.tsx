/** The page before the door: a card in the middle, for whoever is not in yet. */
import type { ReactNode } from 'react';
import { Logo } from '@/frame/header';
import { ThemeMenu } from '@/frame/theme-menu';

export function Threshold({ title, children }: { title: string; children: ReactNode }) {
  return (
    <main className="flex min-h-dvh flex-col items-center px-4 pt-[14vh]">
      <div className="absolute top-3.5 right-4">
        <ThemeMenu />
      </div>
      <div className="bg-card w-full max-w-sm space-y-5 rounded-lg border p-6">
        <div className="space-y-3">
          <Logo />
          <h1 className="text-lg font-bold">{title}</h1>
        </div>
        {children}
      </div>
    </main>
  );
}
