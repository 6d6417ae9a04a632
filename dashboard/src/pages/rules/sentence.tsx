import type { Part } from '@/words/rule';
import { visible } from '@/ui/stranger-text';

/** A rule's sentence; what varies stands out. */
export function Sentence({ parts }: { parts: Part[] }) {
  return parts.map((part, i) =>
    part.isVariable ? (
      <bdi key={i} className="stranger text-fg font-semibold">
        {visible(part.text)}
      </bdi>
    ) : (
      part.text
    ),
  );
}
