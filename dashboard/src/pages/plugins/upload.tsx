import { useQueryClient } from '@tanstack/react-query';
import { Upload } from 'lucide-react';
import { useRef, useState } from 'react';
import { connection } from '@/api/connection';
import { key } from '@/api/keys';
import { problemOf, Unreachable } from '@/api/problem';
import { Button } from '@/ui/button';
import { Dialog } from '@/ui/dialog';
import { Switch } from '@/ui/field';
import { InlineError } from '@/ui/states';
import { toast } from '@/ui/toast';

/** `fetch` does not tell how much of an upload is sent; this does. */
function upload(file: File, replace: boolean, onProgress: (share: number) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('POST', `/v1/plugins?replace=${replace}`);
    request.setRequestHeader('content-type', 'application/wasm');
    const { csrfToken } = connection.get();
    if (csrfToken) request.setRequestHeader('x-csrf-token', csrfToken);
    request.upload.onprogress = ({ loaded, total }) => onProgress(total > 0 ? loaded / total : 0);
    request.onerror = () => reject(new Unreachable());
    request.onload = () => {
      if (request.status < 300) return resolve();
      let body: unknown;
      try {
        body = JSON.parse(request.responseText);
      } catch {
        body = null;
      }
      reject(problemOf(request.status, body));
    };
    request.send(file);
  });
}

export function UploadPlugin() {
  const [isOpen, setOpen] = useState(false);
  const [file, setFile] = useState<File | null>(null);
  const [replace, setReplace] = useState(false);
  const [share, setShare] = useState<number | null>(null);
  const [error, setError] = useState<unknown>(null);
  const input = useRef<HTMLInputElement>(null);
  const client = useQueryClient();
  const send = async () => {
    if (!file) return;
    setError(null);
    setShare(0);
    try {
      await upload(file, replace, setShare);
      await client.invalidateQueries({ queryKey: key('plugins') });
      toast.done(`${file.name} is taken; it is checked and compiled now`);
      setOpen(false);
      setFile(null);
    } catch (failure) {
      setError(failure);
    } finally {
      setShare(null);
    }
  };
  return (
    <>
      <Button look="primary" onClick={() => setOpen(true)}>
        <Upload /> Upload plugin
      </Button>
      <Dialog
        title="Upload a plugin"
        description="A WebAssembly component of the contract exosphere:alerts. It is checked before it is used."
        isOpen={isOpen}
        onClose={() => share === null && setOpen(false)}
      >
        <div className="space-y-4">
          <input
            ref={input}
            type="file"
            accept=".wasm,application/wasm"
            aria-label="Plugin file"
            className="block w-full"
            onChange={(event) => setFile(event.target.files?.[0] ?? null)}
          />
          <Switch isOn={replace} onChange={setReplace} label="Replace the plugin of the same id" />
          {share !== null && (
            <progress className="h-2 w-full" aria-label="Sent" value={share} max={1} />
          )}
          <InlineError error={error} />
          <div className="flex justify-end gap-2">
            <Button onClick={() => setOpen(false)} disabled={share !== null}>
              Cancel
            </Button>
            <Button
              look="primary"
              disabled={!file}
              isBusy={share !== null}
              onClick={() => void send()}
            >
              Upload
            </Button>
          </div>
        </div>
      </Dialog>
    </>
  );
}
