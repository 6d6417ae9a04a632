/** The first ten minutes: three steps that tick themselves. */
import { Link } from '@tanstack/react-router';
import { CircleCheck, Circle } from 'lucide-react';
import type { ReactNode } from 'react';
import { useMay } from '@/api/session';
import type { Endpoint } from '@/api/types';
import { Button } from '@/ui/button';
import { cn } from '@/ui/cn';
import { Page } from '@/ui/page';
import { TryOut } from '../webhooks/try-out';

interface FirstStepsProps {
  endpoint: Endpoint | undefined;
  hasRule: boolean;
  hasArrived: boolean;
  /** When all is done: to what there is to see from then on. */
  onDone: () => void;
}

export function FirstSteps({ endpoint, hasRule, hasArrived, onDone }: FirstStepsProps) {
  const canEdit = useMay('editor');
  const isBegun = endpoint !== undefined || hasRule;
  const isDone = endpoint !== undefined && hasRule && hasArrived;
  return (
    <Page
      title={isDone ? 'All is set up' : isBegun ? 'Almost there' : 'Nothing is set up yet'}
      subtitle={
        isDone
          ? 'The next event that your rule is about is told by itself. Or post a sample, and see it happen.'
          : canEdit
            ? 'Three steps until a failing workflow reaches you.'
            : 'Your key may look and not change; somebody with the role editor sets alerts up.'
      }
      actions={
        isDone && (
          <>
            <Button asChild>
              <Link to="/events" search={{ post: '1' }}>
                Post a sample
              </Link>
            </Button>
            <Button look="primary" onClick={onDone}>
              See the overview
            </Button>
          </>
        )
      }
    >
      <ol className="max-w-2xl space-y-3">
        <Step
          isDone={endpoint !== undefined}
          number={1}
          title="Where should alerts go?"
          text="A Slack channel, a PagerDuty service, or any URL."
        >
          {canEdit && !endpoint && (
            <Button asChild look="primary">
              <Link to="/webhooks" search={{ add: '1' }}>
                Add webhook
              </Link>
            </Button>
          )}
        </Step>
        <Step
          isDone={hasRule}
          number={2}
          title="When?"
          text="When a workflow fails, fails too often, or runs too long."
        >
          {canEdit && !hasRule && endpoint && (
            <Button asChild look="primary">
              <Link to="/rules/new" search={{ endpoint: endpoint.id }}>
                Add rule
              </Link>
            </Button>
          )}
        </Step>
        <Step
          isDone={hasArrived}
          number={3}
          title="See one arrive"
          text="A test goes the way that every alert goes, and shows the real answer."
        >
          {endpoint && <TryOut endpointId={endpoint.id} />}
        </Step>
      </ol>
    </Page>
  );
}

function Step(props: {
  isDone: boolean;
  number: number;
  title: string;
  text: string;
  children: ReactNode;
}) {
  const Icon = props.isDone ? CircleCheck : Circle;
  return (
    <li className="bg-card flex gap-4 rounded-lg border p-5">
      <Icon
        className={cn('mt-0.5 size-5 shrink-0', props.isDone ? 'text-success' : 'text-muted')}
        role="img"
        aria-label={props.isDone ? 'Done' : 'To do'}
      />
      <div className="min-w-0 grow space-y-3">
        <div>
          <h2 className="font-semibold">
            {props.number}. {props.title}
          </h2>
          <p className="text-muted">{props.text}</p>
        </div>
        {props.children}
      </div>
    </li>
  );
}
