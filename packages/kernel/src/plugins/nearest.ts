import { closest, distance } from 'fastest-levenshtein';

/** The candidate that `word` probably means. Undefined if none is near. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  if (candidates.length === 0) return undefined;
  const lower = word.toLowerCase();
  const found = closest(
    lower,
    candidates.map((candidate) => candidate.toLowerCase()),
  );
  const mistakes = Math.max(1, Math.floor(Math.min(word.length, found.length) / 3));
  if (distance(lower, found) > mistakes) return undefined;
  return candidates.find((candidate) => candidate.toLowerCase() === found);
}

/** How to fix an unknown word: names the candidate that was probably meant, or all candidates. */
export function suggestion(word: string, candidates: readonly string[]): string {
  const meant = nearest(word, candidates);
  if (meant !== undefined) return `did you mean ${meant}?`;
  return candidates.length === 0 ? 'leave it out' : `choose one of ${candidates.join(', ')}`;
}
