/** Why an action is not offered. The server decides what is allowed; this tells before it is tried. */
import { Lock } from 'lucide-react';
import type { ReactNode } from 'react';
import { useMay, useRole } from '@/api/session';
import type { Role } from '@/api/types';

interface OfferedProps {
  /** The role that the action needs. */
  role: Role;
  /** The action as a person would name it: “Adding a webhook”. */
  what: string;
  children: ReactNode;
}

/** The action, for those whose role reaches so far; for others what it would need. */
export function Offered({ role, what, children }: OfferedProps) {
  return useMay(role) ? children : <RoleNote role={role} what={what} />;
}

export function RoleNote({ role, what }: Omit<OfferedProps, 'children'>) {
  const own = useRole();
  return (
    <p className="text-muted flex items-center gap-1.5 text-[13px]">
      <Lock className="size-3.5 shrink-0" aria-hidden />
      {own === 'viewer'
        ? `Your key may look and not change. ${what} needs the role ${role}.`
        : `${what} needs the role ${role}; your key is an ${own}.`}
    </p>
  );
}
