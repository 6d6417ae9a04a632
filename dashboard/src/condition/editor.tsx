/**
 * The editor for conditions.
 *
 * It stands in a shadow root: there it brings its styles as a constructed sheet, which the content security policy
 * allows; in the page it would write a style element, which the policy refuses.
 */
import {
  autocompletion,
  closeBrackets,
  completionKeymap,
  type CompletionContext,
} from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { bracketMatching, HighlightStyle, syntaxHighlighting } from '@codemirror/language';
import { setDiagnostics } from '@codemirror/lint';
import { EditorState } from '@codemirror/state';
import { EditorView, keymap, placeholder, tooltips } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import { useEffect, useRef } from 'react';
import { celLanguage, FUNCTIONS, type Offer } from './cel';
import type { Diagnostic } from './diagnostic';

interface EditorProps {
  value: string;
  onChange: (value: string) => void;
  label: string;
  isCel: boolean;
  fields: Offer[];
  diagnostic: Diagnostic | null;
  isReadOnly?: boolean;
}

const look = EditorView.theme({
  '&': {
    fontSize: '13px',
    color: 'var(--fg)',
    backgroundColor: 'var(--bg)',
    borderRadius: '0.5rem',
    border: '1px solid var(--line-strong)',
  },
  '&.cm-focused': { outline: '2px solid var(--link)', outlineOffset: '2px' },
  '.cm-content': {
    fontFamily: 'ui-monospace, Menlo, Consolas, monospace',
    padding: '8px 4px',
    caretColor: 'var(--fg)',
  },
  '.cm-placeholder': { color: 'var(--muted)' },
  '.cm-cursor': { borderLeftColor: 'var(--fg)' },
  '&.cm-focused .cm-selectionBackground, .cm-selectionBackground': {
    backgroundColor: 'var(--accent) !important',
  },
  '.cm-tooltip': {
    backgroundColor: 'var(--raised)',
    color: 'var(--fg)',
    border: '1px solid var(--line)',
    borderRadius: '0.5rem',
    overflow: 'hidden',
  },
  '.cm-tooltip-autocomplete ul li[aria-selected]': {
    backgroundColor: 'var(--accent)',
    color: 'var(--fg)',
  },
  '.cm-completionDetail': { color: 'var(--muted)', fontStyle: 'normal', marginLeft: '1.5em' },
  '.cm-matchingBracket': { backgroundColor: 'var(--accent) !important' },
  '.cm-lintRange-error': {
    backgroundImage: 'none',
    textDecoration: 'underline wavy var(--danger)',
    textUnderlineOffset: '3px',
  },
  '.cm-lintPoint-error:after': { borderBottomColor: 'var(--danger)' },
});

const colours = HighlightStyle.define([
  { tag: tags.string, color: 'var(--success)' },
  { tag: tags.number, color: 'var(--flight)' },
  { tag: tags.keyword, color: 'var(--flight)' },
  { tag: tags.function(tags.variableName), color: 'var(--link)' },
  { tag: tags.comment, color: 'var(--muted)' },
]);

export default function Editor({
  value,
  onChange,
  label,
  isCel,
  fields,
  diagnostic,
  isReadOnly,
}: EditorProps) {
  const place = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(null);
  const latest = useRef({ onChange, fields, value });
  useEffect(() => {
    latest.current = { onChange, fields, value };
  });

  useEffect(() => {
    const host = place.current;
    if (!host) return;
    const root = host.shadowRoot ?? host.attachShadow({ mode: 'open' });
    const complete = (context: CompletionContext) => {
      const word = context.matchBefore(/[\w.]*/);
      if (!word || (word.from === word.to && !context.explicit)) return null;
      const isMethod = /[\w)]\.\w*$/.test(word.text) && !word.text.startsWith('event');
      const offers = [
        ...(isMethod
          ? []
          : latest.current.fields.map((field) => ({ ...field, type: 'variable', boost: 1 }))),
        ...FUNCTIONS.map((each) => ({ ...each, type: 'function' })),
      ];
      return { from: word.from, options: offers, validFor: /^[\w.]*$/ };
    };
    const editor = new EditorView({
      parent: root,
      root,
      state: EditorState.create({
        doc: latest.current.value,
        extensions: [
          history(),
          bracketMatching(),
          closeBrackets(),
          EditorView.lineWrapping,
          ...(isCel ? [celLanguage, autocompletion({ override: [complete], icons: false })] : []),
          syntaxHighlighting(colours),
          // Tab leaves the editor, as it leaves every field.
          keymap.of([...completionKeymap, ...defaultKeymap, ...historyKeymap]),
          placeholder(
            isCel ? 'event.data.errored_count > 3, or empty for always' : 'empty for always',
          ),
          tooltips({ position: 'absolute' }),
          EditorView.contentAttributes.of({ 'aria-label': label, spellcheck: 'false' }),
          EditorView.editable.of(!isReadOnly),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) latest.current.onChange(update.state.doc.toString());
          }),
          look,
        ],
      }),
    });
    view.current = editor;
    return () => {
      editor.destroy();
      view.current = null;
    };
  }, [isCel, label, isReadOnly]);

  useEffect(() => {
    const editor = view.current;
    if (!editor || editor.state.doc.toString() === value) return;
    editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: value } });
  }, [value]);

  useEffect(() => {
    const editor = view.current;
    if (!editor) return;
    const length = editor.state.doc.length;
    const marks = diagnostic
      ? [
          {
            from: Math.min(diagnostic.from, length),
            to: Math.min(diagnostic.to, length),
            severity: 'error' as const,
            message: diagnostic.message,
          },
        ]
      : [];
    editor.dispatch(setDiagnostics(editor.state, marks));
  }, [diagnostic]);

  return <div ref={place} data-condition-editor className="relative" />;
}
