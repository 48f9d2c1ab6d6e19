import type { HostToView, Mark, ViewFile, ViewHit, ViewReason } from './view.ts';

/**
 * An answer on its way to the view: the same in fewer objects, and no name said twice. With every key that is typed one is taken apart
 * and put together again several times between the extension host and the view.
 */
export interface PackedAnswer extends Omit<Results, 'kind' | 'files'> {
  readonly kind: 'packedResults';
  readonly files: readonly PackedFile[];
}

type Results = Extract<HostToView, { kind: 'results' }>;

interface PackedFile extends Omit<ViewFile, 'hits'> {
  readonly hits: readonly PackedHit[];
}

interface PackedHit extends Omit<ViewHit, 'id' | 'lines' | 'reasons'> {
  /** What comes after the file's key in the hit's id. */
  readonly idInFile: string;
  /** Number of the first line; the others follow. */
  readonly firstLine: number;
  /** Lines with `\n` between them; null when there are none. */
  readonly text: string | null;
  /** Of each mark the line's place, start and end. */
  readonly marks: readonly number[];
  readonly reasons: readonly (readonly [label: string, detail: string, share: number])[];
}

/** What is posted to the view for a message. */
export function packed(message: HostToView): HostToView | PackedAnswer {
  if (message.kind !== 'results') return message;
  const files = message.files.map((file) => ({ ...file, hits: file.hits.map((hit) => packedHit(hit, file.key)) }));
  return { ...message, kind: 'packedResults', files };
}

/** The message that was posted. */
export function unpacked(message: HostToView | PackedAnswer): HostToView {
  if (message.kind !== 'packedResults') return message;
  const files = message.files.map((file) => ({ ...file, hits: file.hits.map((hit) => unpackedHit(hit, file.key)) }));
  return { ...message, kind: 'results', files };
}

/** Of a share nothing finer can be seen. */
const SHARES = 1_000;

function packedHit({ id, lines, reasons, ...rest }: ViewHit, key: string): PackedHit {
  return {
    ...rest,
    idInFile: id.slice(key.length),
    firstLine: lines[0]?.number ?? 0,
    text: lines.length === 0 ? null : lines.map(({ text }) => text).join('\n'),
    marks: lines.flatMap(({ marks }, place) => marks.flatMap(([start, end]) => [place, start, end])),
    reasons: reasons.map(({ label, detail, share }) => [label, detail, Math.round(share * SHARES) / SHARES]),
  };
}

function unpackedHit(packedHit: PackedHit, key: string): ViewHit {
  const { idInFile, firstLine, text, marks, reasons, ...rest } = packedHit;
  const marksOf = new Map<number, Mark[]>();
  for (let at = 0; at + 2 < marks.length; at += 3) {
    const [place = 0, start = 0, end = 0] = marks.slice(at, at + 3);
    const own = marksOf.get(place) ?? [];
    own.push([start, end]);
    marksOf.set(place, own);
  }
  const texts = text?.split('\n') ?? [];
  return {
    ...rest,
    id: key + idInFile,
    lines: texts.map((line, place) => ({ number: firstLine + place, text: line, marks: marksOf.get(place) ?? [] })),
    reasons: reasons.map(([label, detail, share]): ViewReason => ({ label, detail, share })),
  };
}
