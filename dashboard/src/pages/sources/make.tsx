/** Adds a webhook in, and shows once what its sender must be told. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { key } from '@/api/keys';
import { createSource } from '@/api/operators';
import { ApiProblem } from '@/api/problem';
import type { NewSource, Source } from '@/api/types';
import { Button } from '@/ui/button';
import { CopyButton } from '@/ui/copy';
import { Dialog } from '@/ui/dialog';
import { Field, Input, Select } from '@/ui/field';
import { FormError, FormFooter } from '@/ui/form-footer';
import { SecretOnce } from '../webhooks/secret';

type Kind = NewSource['kind'];

const KINDS: [Kind, string][] = [
  ['github', 'GitHub: runs of Actions workflows'],
  ['gitlab', 'GitLab: pipelines'],
  ['mapped', 'Anything else that posts JSON'],
];

/** Where the secret goes at each sender. */
const USES: Record<Kind, string> = {
  github: 'Enter it as Secret where you add the webhook, with the content type application/json.',
  gitlab: 'Enter it as Secret token where you add the webhook.',
  mapped: 'The sender sends it in the header X-Exosphere-Token, or signs with it.',
};

/** The attributes that most mappings make; the API takes more. */
const EXPRESSIONS = [
  ['type', 'Type', "request.body.ok ? 'workflow.succeeded' : 'workflow.failed'"],
  ['id', 'Id', "request.body.run_id + '/' + request.body.status"],
  ['data', 'Data', "{'graph_name': request.body.job, 'run_id': request.body.run_id}"],
] as const;

export function MakeSource({ onClose }: { onClose: () => void }) {
  const [name, setName] = useState('');
  const [kind, setKind] = useState<Kind>('github');
  const [mapping, setMapping] = useState({ type: '', id: '', data: '' });
  const client = useQueryClient();
  const create = useMutation({
    mutationFn: () => {
      const { type, ...more } = mapping;
      const given = Object.entries(more).filter(([, expression]) => expression.trim() !== '');
      return createSource({
        name: name.trim(),
        kind,
        ...(kind === 'mapped' ? { mapping: { type, ...Object.fromEntries(given) } } : {}),
      });
    },
    onSettled: () => client.invalidateQueries({ queryKey: key('sources') }),
  });
  if (create.data) return <Made source={create.data} kind={kind} onClose={onClose} />;
  const problem = create.error instanceof ApiProblem ? create.error : null;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    create.mutate();
  };
  return (
    <Dialog title="Add a source" isOpen onClose={onClose}>
      <form onSubmit={submit} className="space-y-4">
        <Field label="Name" help="What posts to it." error={problem?.at('/name')}>
          {(ids) => (
            <Input
              {...ids}
              required
              autoFocus
              placeholder="Our repositories"
              value={name}
              onChange={(event) => setName(event.target.value)}
            />
          )}
        </Field>
        <Field label="Sender" error={problem?.at('/kind')}>
          {(ids) => (
            <Select {...ids} value={kind} onChange={(event) => setKind(event.target.value as Kind)}>
              {KINDS.map(([value, label]) => (
                <option key={value} value={value}>
                  {label}
                </option>
              ))}
            </Select>
          )}
        </Field>
        {kind === 'mapped' &&
          EXPRESSIONS.map(([field, label, example]) => (
            <Field
              key={field}
              label={label}
              help={
                field === 'type' ? 'In CEL; null makes no event.' : 'In CEL; may be left empty.'
              }
              error={problem?.at(`/mapping/${field}`)}
            >
              {(ids) => (
                <Input
                  {...ids}
                  required={field === 'type'}
                  placeholder={example}
                  className="font-mono text-[13px]"
                  value={mapping[field]}
                  onChange={(event) => setMapping({ ...mapping, [field]: event.target.value })}
                />
              )}
            </Field>
          ))}
        <FormError error={create.error} />
        <FormFooter action="Add source" onCancel={onClose} isBusy={create.isPending} />
      </form>
    </Dialog>
  );
}

function Made({ source, kind, onClose }: { source: Source; kind: Kind; onClose: () => void }) {
  const url = new URL(source.url, window.location.origin).href;
  return (
    <Dialog title={`${source.name ?? ''} is ready`} isOpen isKept onClose={onClose}>
      <div className="space-y-4">
        <div>
          <h3 className="font-semibold">Where it posts</h3>
          <div className="mt-2 flex flex-wrap items-center gap-2">
            <code className="bg-bg stranger rounded-md border px-3 py-1.5 font-mono text-[13px]">
              {url}
            </code>
            <CopyButton text={url} label="Copy" />
          </div>
        </div>
        <SecretOnce label="Secret" use={USES[kind]} secret={source.secret ?? ''} />
      </div>
      <div className="mt-6 flex justify-end">
        <Button look="primary" onClick={onClose}>
          Done
        </Button>
      </div>
    </Dialog>
  );
}
